/** One life of a cluster, from a plan to what it broke. The same plan gives the same life. */
import { Cluster } from './cluster.js';
import { Faults } from './faults/carryOut.js';
import type { Plan } from './faults/plan.js';
import { FlowWitness } from './invariants/flowWitness.js';
import { RestCheck } from './invariants/restCheck.js';
import { RoleWitness } from './invariants/roleWitness.js';
import { TargetWitness } from './invariants/targetWitness.js';
import { stateText } from './stateText.js';
import { World, type Told, type Violation, type WorldOptions } from './world/world.js';

export interface LifeResult {
  readonly violations: readonly Violation[];
  readonly story: readonly Told[];
  /** What happened: appointments of the queue. */
  readonly events: number;
  readonly flows: number;
}

/** Before the end: clients begin and end nothing any more; both nodes are asked how they are. */
const restMilliseconds = 8_000;
const askMilliseconds = 700;

/** To be called outside of microtasks. */
export function live(plan: Plan, options: WorldOptions = { isTold: false }): LifeResult {
  const world = new World(plan.seed, options);
  const cluster = new Cluster(world, plan.settings);
  const flows = new FlowWitness(world, cluster, plan.settings);
  const roles = new RoleWitness(world, cluster, flows);
  const rest = new RestCheck(world, cluster, flows, plan.settings);
  const targets = new TargetWitness(world, cluster);
  const faults = new Faults(world, cluster, {
    kernelHarmed: (machine) => flows.kernelHarmed(machine),
    flowsDeleted: () => flows.flowsDeleted(),
    emptied: (within) => flows.emptied(within),
    tableFull: () => flows.tableFull(),
    targetLost: (machines) => targets.losing(machines),
  });
  const at = (milliseconds: number, run: () => void): void => {
    world.queue.at(milliseconds * 1_000, run);
  };
  roles.start();
  flows.start();
  if ((plan.settings.target ?? 'none') !== 'none') targets.start();
  cluster.start(plan.clients);
  const tellStates = (): void => {
    for (const machine of cluster.machines) world.tell(machine.name, () => stateText(machine));
  };
  for (const fault of plan.faults) {
    at(fault.at, () => {
      tellStates();
      faults.carryOut(fault);
    });
  }
  at(plan.quietFrom, () => faults.heal());
  at(plan.milliseconds - restMilliseconds, () => cluster.clients.rest());
  at(plan.milliseconds - askMilliseconds, () => rest.ask());
  world.queue.runUntil(plan.milliseconds * 1_000);
  tellStates();
  rest.judge();
  cluster.end();
  return {
    violations: world.violations,
    story: world.story,
    events: world.queue.happened,
    flows: cluster.clients.flows.length,
  };
}
