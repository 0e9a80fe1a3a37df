/**
 * Looks at who holds the virtual addresses, five times a second and whenever one appears: nobody,
 * both, or one before the flows are in its kernel.
 */
import type { Cluster } from '../cluster.js';
import { virtualAddress } from '../node/configuration.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import type { FlowWitness } from './flowWitness.js';
import { hasClash } from './clash.js';
import { keyOfTuple, keysOfTable } from './cacheKeys.js';

const period = 200_000;
/** Master-down, the commit that the addresses wait for at most, and a moment. */
const longestWithout = 16_000_000;
/** From the end of a split to the moment in which one has given way. */
const longestTwo = 5_000_000;
const longestHalf = 12_000_000;
/** A process that was started needs a while before it may serve. */
const startUp = 2_000_000;

interface Since {
  nobody: number | undefined;
  both: number | undefined;
  half: number | undefined;
}

export class RoleWitness {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #flows: FlowWitness;
  readonly #since: Since = { nobody: undefined, both: undefined, half: undefined };
  /** Since when each machine may serve without a break. */
  readonly #mayServeSince = new Map<Machine, number>();
  readonly #hadAll = new Map<Machine, boolean>();
  /** Since when the worker of each machine works without a break. */
  readonly #worksSince = new Map<Machine, { readonly worker: object; readonly at: number }>();

  constructor(world: World, cluster: Cluster, flows: FlowWitness) {
    this.#world = world;
    this.#cluster = cluster;
    this.#flows = flows;
  }

  /** To be called before the cluster starts. */
  start(): void {
    this.#cluster.booted = (machine) => {
      const { kernel } = machine;
      if (kernel === undefined) return;
      const watching = { kernel, timers: this.#world.timers };
      kernel.network.portsOf(watching).watch.subscribe(({ kind }) => {
        if (kind === 'address' || kind === 'addressGone') this.#noteAddresses(machine);
      });
    };
    this.#again();
  }

  #again(): void {
    this.#world.queue.after(period, () => {
      this.#look();
      this.#again();
    });
  }

  #look(): void {
    const now = this.#world.now();
    const { machines } = this.#cluster;
    for (const machine of machines) {
      if (!mayServe(machine)) this.#mayServeSince.delete(machine);
      else if (!this.#mayServeSince.has(machine)) this.#mayServeSince.set(machine, now);
      this.#noteWorker(machine, now);
    }
    const served = machines.map(addressesOf);
    const holders = machines.filter((_, index) => (served[index] ?? 0) > 0);
    this.#nobody(holders.length === 0, now);
    this.#both(holders.length === 2 && !this.#isApart(), now);
    this.#half(
      machines.find((machine, index) => mayServe(machine) && isHalf(served[index] ?? 0)),
      now,
    );
  }

  #noteAddresses(machine: Machine): void {
    const hasAll = addressesOf(machine) === addressCount;
    if (hasAll && this.#hadAll.get(machine) !== true) this.#appeared(machine, this.#world.now());
    this.#hadAll.set(machine, hasAll);
  }

  #nobody(isSo: boolean, now: number): void {
    const able = [...this.#mayServeSince].filter(([, since]) => now - since > longestWithout);
    if (!isSo || able.length === 0) {
      this.#since.nobody = undefined;
      return;
    }
    this.#since.nobody ??= now;
    if (now - this.#since.nobody < longestWithout) return;
    this.#since.nobody = now;
    const names = able.map(([{ name }]) => name).join(' and ');
    this.#world.violate('no-master', `nobody holds the addresses for 16 s, and ${names} could`);
  }

  #both(isSo: boolean, now: number): void {
    this.#since.both = isSo ? (this.#since.both ?? now) : undefined;
    if (this.#since.both === undefined || now - this.#since.both < longestTwo) return;
    this.#since.both = now;
    this.#world.violate('two-masters', 'both nodes hold addresses for 5 s and hear each other');
  }

  #half(machine: Machine | undefined, now: number): void {
    this.#since.half = machine === undefined ? undefined : (this.#since.half ?? now);
    if (this.#since.half === undefined || now - this.#since.half < longestHalf) return;
    this.#since.half = now;
    const name = machine?.name ?? '';
    this.#world.violate('unit-agrees', `${name} holds one of two addresses for 12 s`);
  }

  /** Whoever cannot speak, or is not heard, cannot be given way to. */
  #isApart(): boolean {
    const [one, other] = this.#cluster.machines;
    const { lan, wan } = this.#cluster.network.segments;
    return (
      !mayServe(one) ||
      !mayServe(other) ||
      [lan, wan].some(
        (segment) =>
          segment.isImpaired(one.name, other.name) || segment.isImpaired(other.name, one.name),
      )
    );
  }

  #noteWorker(machine: Machine, now: number): void {
    const worker = machine.process?.worker;
    const isWorking = worker?.commands?.engine !== undefined && !worker.thread.isFrozen;
    if (worker === undefined || !isWorking) {
      this.#worksSince.delete(machine);
      return;
    }
    if (this.#worksSince.get(machine)?.worker !== worker) {
      this.#worksSince.set(machine, { worker, at: now });
    }
  }

  /** All addresses are there, and were not before. */
  #appeared(machine: Machine, now: number): void {
    this.#world.tell(machine.name, () => 'holds the virtual addresses');
    const works = this.#worksSince.get(machine);
    if (works === undefined || now - works.at < startUp) return;
    const { commands } = machine.process?.worker ?? {};
    const { kernel } = machine;
    if (commands?.engine === undefined || kernel === undefined) return;
    if (commands.engine.settings.disableExternalCache) return;
    const told = keysOfTable(commands.engine.external.table);
    const missing = this.#cluster.clients.flows.filter(
      (flow) =>
        flow.isWanted &&
        told.has(keyOfTuple(flow.tuple)) &&
        kernel.find(flow.tuple) === undefined &&
        this.#flows.excuseOf(flow) === undefined &&
        this.#flows.isHeld(flow) &&
        !hasClash(this.#cluster.machines, flow.tuple),
    );
    if (missing.length === 0) return;
    const numbers = missing.map(({ spec }) => spec.number).join(', ');
    this.#world.violate(
      'commit-first',
      `${machine.name} holds the addresses, and its kernel lacks flows that it was told: ${numbers}`,
    );
  }
}

const addressCount = Object.keys(virtualAddress).length;

function addressesOf(machine: Machine): number {
  const network = machine.kernel?.network;
  if (network === undefined) return 0;
  return Object.values(virtualAddress).filter((address) => network.hasAddress(address)).length;
}

function isHalf(count: number): boolean {
  return count > 0 && count < addressCount;
}

/** As far as the world goes: nobody told it to rest, nothing that it needs is broken. */
export function mayServe(machine: Machine): boolean {
  const { process } = machine;
  return (
    process?.node !== undefined &&
    !process.isStopping &&
    !process.main.isFrozen &&
    !process.node.memory.maintenance &&
    machine.isUsable('lan') &&
    machine.isUsable('wan')
  );
}
