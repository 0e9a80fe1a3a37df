/**
 * Looks whether a target that both nodes lose at once moves a role. What only one has lost may, and
 * what was lost before, or while a node was not there to see it.
 */
import type { Cluster } from '../cluster.js';
import { targetName } from '../network/target.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';

const period = 200_000;
/** Both must have reached it for so long: `fall` probes, and the word of the peer on them. */
const settled = 3_000_000;

export class TargetWitness {
  readonly #world: World;
  readonly #cluster: Cluster;
  /** Since when each node reaches it without a break. */
  readonly #reachedSince = new Map<Machine, number>();
  readonly #watched = new Set<object>();
  #lostByBoth = false;

  constructor(world: World, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
  }

  /** From then on, five times a second. */
  start(): void {
    this.#look();
    this.#world.queue.after(period, () => this.start());
  }

  /** The target is about to be lost by these, at this instant. */
  losing(machines: readonly Machine[]): void {
    this.#look();
    const now = this.#world.now();
    const areSettled = this.#cluster.machines.every((machine) => {
      const since = this.#reachedSince.get(machine);
      return machines.includes(machine) && since !== undefined && now - since > settled;
    });
    if (areSettled) this.#lostByBoth = true;
  }

  #look(): void {
    const { machines, target } = this.#cluster;
    const now = this.#world.now();
    for (const machine of machines) {
      const { process } = machine;
      const isThere = process?.node !== undefined && !process.main.isFrozen;
      const isReached = isThere && machine.isUsable('wan') && target.lossOf(machine.name) === 0;
      if (!isReached) this.#reachedSince.delete(machine);
      else if (!this.#reachedSince.has(machine)) this.#reachedSince.set(machine, now);
      if (process?.node !== undefined) this.#watch(machine, process.node);
    }
    if (machines.some(({ name }) => target.lossOf(name) < 100)) this.#lostByBoth = false;
  }

  #watch(machine: Machine, node: NonNullable<NonNullable<Machine['process']>['node']>): void {
    if (this.#watched.has(node)) return;
    this.#watched.add(node);
    node.history.subscribe(({ name, from, to, because }) => {
      if (this.#lostByBoth && because.includes(`target ${targetName}`)) {
        const text = `${machine.name}: ${name} goes from ${from} to ${to}: ${because}`;
        this.#world.violate('target-lost-by-both', text);
      }
      return true;
    });
  }
}
