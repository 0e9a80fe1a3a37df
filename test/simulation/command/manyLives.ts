/** A run of lives in this process. */
import { Coverage } from '../coverage.js';
import { planOf } from '../faults/plan.js';
import { live } from '../life.js';
import { newTally, type Tally } from './tally.js';

export interface LivesWanted {
  /** First seed, and the distance to the next. */
  readonly from: number;
  readonly step: number;
  readonly lives: number;
  readonly clients: number;
  readonly coverage: boolean;
  /** Stops at so many broken lives. */
  readonly until: number | undefined;
}

/** To be called outside of microtasks. */
export function manyLives(wanted: LivesWanted): Tally {
  const tally = newTally();
  const coverage = new Coverage();
  const record = (line: object): void => {
    coverage.line(line);
  };
  const used = process.cpuUsage();
  for (let i = 0; i < wanted.lives; i++) {
    const seed = wanted.from + i * wanted.step;
    const plan = planOf(seed, wanted.clients);
    const options = wanted.coverage ? { isTold: false, record } : { isTold: false };
    const { violations, events, flows } = live(plan, options);
    tally.lives++;
    tally.virtualMilliseconds += plan.milliseconds;
    tally.events += events;
    tally.flows += flows;
    for (const { kind } of plan.faults) tally.faults[kind] = (tally.faults[kind] ?? 0) + 1;
    const [first] = violations;
    if (first === undefined) continue;
    tally.broken.push({ seed, invariant: first.invariant, text: first.text });
    if (tally.broken.length === wanted.until) break;
  }
  const { user, system } = process.cpuUsage(used);
  tally.cpuMilliseconds = (user + system) / 1_000;
  tally.reached = coverage.counts;
  return tally;
}
