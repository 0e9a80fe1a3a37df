/**
 * Makes the plan of a failing life as short as it can be while it breaks the same promise: fewer
 * faults, shorter ones, plainer settings, fewer clients. Each try is a whole life.
 */
import type { Plan, PlannedFault } from './faults/plan.js';
import { usualSettings } from './node/configuration.js';
import { live } from './life.js';
import type { PromiseName } from './invariants/promises.js';

const mostTries = 400;
const fewestClients = 2;

/** To be called outside of microtasks. */
export function shrink(plan: Plan, promise: PromiseName): Plan {
  let tries = 0;
  let best = plan;
  const fails = (candidate: Plan): boolean => {
    if (tries++ >= mostTries) return false;
    return live(candidate).violations.some(({ invariant }) => invariant === promise);
  };
  const take = (candidate: Plan): boolean => {
    if (!fails(candidate)) return false;
    best = candidate;
    return true;
  };
  for (let isShorter = true; isShorter && tries < mostTries;) {
    isShorter = false;
    for (const fault of [...best.faults]) {
      const faults = best.faults.filter((one) => one !== fault);
      if (take({ ...best, faults })) isShorter = true;
    }
  }
  take({ ...best, settings: usualSettings });
  for (const [name, value] of Object.entries(usualSettings)) {
    const settings = { ...best.settings, [name]: value as unknown };
    take({ ...best, settings: settings });
  }
  for (let clients = best.clients; clients > fewestClients;) {
    clients = Math.max(fewestClients, Math.floor(clients / 2));
    if (!take({ ...best, clients })) break;
  }
  for (const fault of best.faults) {
    const shorter = shortened(fault);
    if (shorter === undefined) continue;
    take({ ...best, faults: best.faults.map((one) => (one === fault ? shorter : one)) });
  }
  return best;
}

/** Half as long, in round numbers. */
function shortened(fault: PlannedFault): PlannedFault | undefined {
  const names = ['for', 'restart', 'boot'] as const;
  const name = names.find((one) => one in fault);
  if (name === undefined) return undefined;
  const value: unknown = Reflect.get(fault, name);
  if (typeof value !== 'number' || value < 400) return undefined;
  // One duration in place of another keeps the kind of the fault.
  return { ...fault, [name]: Math.round(value / 200) * 100 };
}
