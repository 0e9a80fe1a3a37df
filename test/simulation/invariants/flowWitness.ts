/**
 * Looks once a second at which kernel holds which flow, and judges what became of it: a copy that
 * goes, and a lifetime that shrinks, must be the doing of the world or of the flow's own ends.
 */
import type { ClientFlow } from '../clients/clientFlow.js';
import type { Cluster } from '../cluster.js';
import type { FlowView } from '../kernel/kernelPorts.js';
import type { ClusterSettings } from '../node/configuration.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import { keyOfTuple, keysOfTable } from './cacheKeys.js';

const period = 1_000_000;
/** Kernels count whole seconds, and a look may come a second late. */
const slack = 3_000_000;
/** What was told a moment ago may be older than what the kernel counts now. */
const lifetimeSlack = 15_000_000;

/** One kernel's copy at the last look. */
interface Copy {
  readonly id: number;
  readonly expiresAt: number;
  readonly state: string;
  /** When it would run out, as of the last change that the peer was surely told of. */
  readonly toldExpiry: number;
  /** The same as of the last change, until that was surely told. */
  readonly untold: number | undefined;
}

interface Watched {
  readonly flow: ClientFlow;
  readonly copies: Map<Machine, Copy>;
  /** When the last copy on each machine ran out, or will. */
  readonly expiry: Map<Machine, number>;
  /** Why nothing is promised for it any more. */
  excuse: string | undefined;
}

export class FlowWitness {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #watched = new Map<ClientFlow, Watched>();
  /** Nobody promises anything of flows that a full table refused. */
  #wasFull = false;
  /** Without an internal cache a MASTER cannot say which flows it has (docs/differences.md). */
  readonly #isBypassed: boolean;
  readonly #telling = new Map<Machine, boolean>();
  #wasWhole = false;
  /** Until then whatever began may go: the operator has emptied a kernel. */
  #emptiedUntil = 0;
  /** The last look before this one. */
  #lookedAt = 0;

  constructor(world: World, cluster: Cluster, settings: ClusterSettings) {
    this.#world = world;
    this.#cluster = cluster;
    this.#isBypassed = settings.disableInternalCache;
  }

  start(): void {
    this.#world.queue.after(period, () => {
      this.look();
      this.start();
    });
  }

  /** The kernel of this machine is about to lose flows by the world's doing. */
  kernelHarmed(machine: Machine): void {
    this.look();
    const [one, other] = this.#cluster.machines;
    const peer = machine === one ? other : one;
    const told = peer.process?.worker?.commands?.engine?.external.table;
    const keys = told === undefined ? new Set<string>() : keysOfTable(told);
    for (const { flow } of this.#watched.values()) {
      const watched = this.#watched.get(flow);
      if (!watched?.copies.has(machine)) continue;
      watched.copies.delete(machine);
      if (watched.copies.has(peer)) continue;
      const isTold = keys.has(keyOfTuple(flow.tuple));
      watched.excuse ??= isTold ? 'its kernel went, the peer was told' : 'its kernel went untold';
    }
  }

  /** Flows were deleted by somebody else: that is replicated, too. */
  flowsDeleted(): void {
    this.look();
    for (const watched of this.#watched.values()) watched.excuse ??= 'a foreign program';
  }

  /** The operator has a kernel emptied within so many microseconds. */
  emptied(within: number): void {
    this.#emptiedUntil = this.#world.now() + within;
    this.flowsDeleted();
  }

  tableFull(): void {
    this.#wasFull = true;
  }

  /** Nothing is promised for it; undefined where it must live. */
  excuseOf(flow: ClientFlow): string | undefined {
    if (this.#isBypassed) return 'DisableInternalCache';
    if (this.#wasFull) return 'a kernel table was full';
    return this.#watched.get(flow)?.excuse;
  }

  /** Whether some kernel held it at the last look. */
  isHeld(flow: ClientFlow): boolean {
    return (this.#watched.get(flow)?.copies.size ?? 0) > 0;
  }

  /** The copy there ran out: the kernel drops it when it comes to it. */
  ranOut(flow: ClientFlow, machine: Machine): boolean {
    const expiry = this.#watched.get(flow)?.expiry.get(machine);
    return expiry !== undefined && expiry <= this.#world.now();
  }

  look(): void {
    this.#noteTelling();
    for (const flow of this.#cluster.clients.flows) {
      if (!flow.isWanted) {
        this.#watched.delete(flow);
        continue;
      }
      let watched = this.#watched.get(flow);
      if (watched === undefined) {
        watched = { flow, copies: new Map(), expiry: new Map(), excuse: this.#excuseAtBirth(flow) };
        this.#watched.set(flow, watched);
      }
      this.#compare(watched);
    }
    this.#lookedAt = this.#world.now();
  }

  #excuseAtBirth(flow: ClientFlow): string | undefined {
    if (this.#world.now() < this.#emptiedUntil) return 'the operator emptied a kernel';
    return flow.isOfTwo ? 'it began on both nodes' : undefined;
  }

  #compare(watched: Watched): void {
    const { flow, copies } = watched;
    const now = this.#world.now();
    const before = [...copies];
    for (const machine of this.#cluster.machines) {
      const view = machine.kernel?.find(flow.tuple);
      const isIts = view !== undefined && isOriginal(view, flow);
      if (!isIts) copies.delete(machine);
      else {
        copies.set(machine, this.#copyOf(watched, machine, view, before));
        watched.expiry.set(machine, view.expiresAt);
      }
    }
    if (copies.size > 0 || before.length === 0) return;
    const latest = Math.max(...before.map(([, { expiresAt }]) => expiresAt));
    // Nobody used it any more, and it ran out.
    if (latest <= now + slack) watched.excuse ??= 'it ran out';
    if (this.excuseOf(flow) !== undefined) return;
    watched.excuse = 'told already';
    const holders = before.map(([{ name }]) => name).join(' and ');
    const left = Math.round((latest - now) / 1_000_000);
    this.#world.violate(
      'flow-kept',
      `flow ${flow.spec.number} was in the kernel of ${holders} with ${left} s to live, and is gone`,
    );
  }

  #copyOf(
    watched: Watched,
    machine: Machine,
    view: FlowView,
    before: readonly (readonly [Machine, Copy])[],
  ): Copy {
    const { id, expiresAt } = view;
    const state = `${view.status} ${view.tcpState}`;
    const known = before.find(([one]) => one === machine)?.[1];
    if (known?.id === id) {
      const { toldExpiry, untold } = known;
      if (known.state !== state) return { id, expiresAt, state, toldExpiry, untold: expiresAt };
      if (untold === undefined || !this.#isTelling(machine)) return { ...known, expiresAt };
      return { id, expiresAt, state, toldExpiry: untold, untold: undefined };
    }
    // What a packet makes is no doing of the product.
    const passedAt = watched.flow.passedAt(machine);
    const byPacket = passedAt !== undefined && passedAt >= this.#lookedAt;
    if (before.length > 0 && !byPacket) this.#judgeLifetime(watched, machine, expiresAt, before);
    return { id, expiresAt, state, toldExpiry: 0, untold: expiresAt };
  }

  /** Since a second: the peer hears what changes here. */
  #isTelling(machine: Machine): boolean {
    return this.#telling.get(machine) ?? false;
  }

  #noteTelling(): void {
    const [one, other] = this.#cluster.machines;
    const { sync, sync2 } = this.#cluster.network.segments;
    const isWhole =
      [one, other].every(isWorking) &&
      [sync, sync2].every(
        (segment) =>
          !segment.isImpaired(one.name, other.name) && !segment.isImpaired(other.name, one.name),
      );
    for (const machine of this.#cluster.machines) {
      this.#telling.set(machine, isWhole && this.#wasWhole);
    }
    this.#wasWhole = isWhole;
  }

  /** A copy was made that was not there, or that took the place of another. */
  #judgeLifetime(
    { flow }: Watched,
    machine: Machine,
    expiresAt: number,
    before: readonly (readonly [Machine, Copy])[],
  ): void {
    const now = this.#world.now();
    const promised = Math.min(...before.map(([, { toldExpiry }]) => toldExpiry));
    if (promised <= now || expiresAt >= promised - lifetimeSlack) return;
    if (this.excuseOf(flow) !== undefined) return;
    const seconds = (time: number): number => Math.round((time - now) / 1_000_000);
    this.#world.violate(
      'lifetime',
      `flow ${flow.spec.number} has ${seconds(expiresAt)} s on ${machine.name}, ` +
        `and was told with ${seconds(promised)} s`,
    );
  }
}

function isOriginal(view: FlowView, { tuple }: ClientFlow): boolean {
  return view.original.source === tuple.source && view.original.sourcePort === tuple.sourcePort;
}

function isWorking(machine: Machine): boolean {
  const { process } = machine;
  if (!machine.isUsable('sync')) return false;
  const worker = process?.worker;
  return worker?.commands?.engine !== undefined && !worker.thread.isFrozen;
}
