/**
 * The table of one kernel and the life of its entries: lookups, insertion, the ends of flows and
 * who hears of them. What is over is found by lookups and dumps no more, yet counts until somebody
 * meets it or the garbage collector comes by.
 */
import { statusBit } from '../../../src/conntrack/constants.js';
import { seconds, type ArmedTimer, type Clock } from '../../../src/base/time.js';
import type { RandomSource, Timers } from '../../../src/base/time.js';
import { eventBit } from './eventBits.js';
import type { Flow } from './flow.js';
import { FlowStore } from './flowStore.js';
import type { ConntrackSysctls } from './kernelPorts.js';

/** The collector's pauses, in seconds: the kernel's lie between 1 and 60, by what it has found. */
const shortestPause = 1;
const longestPause = 60;
/** ECACHE_RETRY: ends that a reliable listener did not take are tried again. */
const retryPause = seconds(0.1);
/** Flows that a full table looks at for one that it may drop. */
const evictionRange = 8;

export interface ConntrackParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly sysctls: ConntrackSysctls;
  /** False: a listener that wants every event could not take it. */
  readonly report: (flow: Flow, events: number, portId: number) => boolean;
  /** Whether anybody listens to flows: with nf_conntrack_events 2 only then flows make events. */
  readonly hasListener: () => boolean;
  /** A flow has left the table: what depends on it goes too. */
  readonly ended: (flow: Flow) => void;
}

export class Conntrack {
  readonly store: FlowStore;
  readonly #parts: ConntrackParts;
  /** Ends that are owed, with the port id of whoever caused them. */
  readonly #dying = new Map<Flow, number>();
  #collection: ArmedTimer | undefined;
  #collectsAt = Infinity;
  #retry: ArmedTimer | undefined;
  #isOff = false;

  constructor(parts: ConntrackParts) {
    this.#parts = parts;
    this.store = new FlowStore(parts.random);
  }

  get now(): number {
    return this.#parts.clock.now();
  }

  get count(): number {
    return this.store.count;
  }

  get dying(): Iterable<Flow> {
    return this.#dying.keys();
  }

  makesEvents(): boolean {
    const { sysctls, hasListener } = this.#parts;
    return sysctls.events === 1 || (sysctls.events === 2 && hasListener());
  }

  /** By a tuple of either direction. An entry that is over ends when somebody looks at it. */
  find(key: string): Flow | undefined {
    const flow = this.store.find(key);
    if (flow === undefined || flow.expiresAt > this.now) return flow;
    this.delete(flow, 0);
    return undefined;
  }

  /** Memory for one more entry; undefined where the table is full and holds what it has. */
  allocate(): { memory: number; bucket: number } | undefined {
    const { max } = this.#parts.sysctls;
    if (max > 0 && this.store.count >= max && !this.#evict()) return undefined;
    return this.store.allocate();
  }

  /** False where a tuple of the flow is taken. */
  insert(flow: Flow): boolean {
    if (this.find(flow.originalKey) !== undefined || this.store.find(flow.replyKey) !== undefined) {
      return false;
    }
    flow.status |= statusBit.confirmed;
    this.store.insert(flow);
    this.expectCollection(flow.expiresAt);
    return true;
  }

  /** The flow lives until `expiresAt` from now on. */
  refresh(flow: Flow, expiresAt: number): void {
    flow.expiresAt = expiresAt;
    if (expiresAt < this.#collectsAt) this.expectCollection(expiresAt);
  }

  tell(flow: Flow, events: number, portId: number): void {
    if (!flow.hasEvents || flow.isDying) return;
    const all = events | flow.owedEvents;
    if (all === 0) return;
    flow.owedEvents = this.#parts.report(flow, all, portId) ? 0 : all;
  }

  /** Ends a flow; `portId` is 0 where a packet or a timer did it. */
  delete(flow: Flow, portId: number): void {
    if (flow.isDying) return;
    flow.status |= statusBit.dying;
    this.store.remove(flow);
    this.#parts.ended(flow);
    if (!flow.hasEvents || this.#parts.report(flow, eventBit.destroy, portId)) {
      this.store.release(flow);
      return;
    }
    this.#dying.set(flow, portId);
    this.#armRetry();
  }

  /** A listener has read, or left: ends that are owed may get through. */
  roomMade(): void {
    if (this.#dying.size > 0) this.#armRetry();
  }

  powerOff(): void {
    this.#isOff = true;
    this.#collection?.cancel();
    this.#retry?.cancel();
  }

  #armRetry(): void {
    if (this.#retry !== undefined || this.#isOff) return;
    this.#retry = this.#parts.timers.after(retryPause, () => {
      this.#retry = undefined;
      for (const [flow, portId] of this.#dying) {
        if (!this.#parts.report(flow, eventBit.destroy, portId)) return;
        this.#dying.delete(flow);
        this.store.release(flow);
      }
    });
  }

  /** A flow ends at `expiresAt`: the collector comes by some time later. */
  expectCollection(expiresAt: number): void {
    if (this.#isOff || expiresAt >= this.#collectsAt) return;
    this.#collection?.cancel();
    this.#collectsAt = expiresAt;
    const { timers, random } = this.#parts;
    const late = shortestPause + random.below(longestPause - shortestPause);
    const delay = seconds(Math.max(0, expiresAt - this.now) / 1_000_000 + late);
    this.#collection = timers.after(delay, () => {
      this.#collect();
    });
  }

  #collect(): void {
    this.#collection = undefined;
    this.#collectsAt = Infinity;
    const { now } = this;
    let next = Infinity;
    for (const flow of [...this.store.all()]) {
      if (flow.expiresAt <= now) this.delete(flow, 0);
      else next = Math.min(next, flow.expiresAt);
    }
    if (next < Infinity) this.expectCollection(next);
  }

  /** A full table drops a flow that is not assured, or is over, where it meets one. */
  #evict(): boolean {
    const flows = [...this.store.all()];
    for (let i = 0; i < evictionRange && flows.length > 0; i++) {
      const flow = flows[this.#parts.random.below(flows.length)];
      if (flow === undefined) continue;
      if (!flow.has(statusBit.assured) || flow.expiresAt <= this.now) {
        this.delete(flow, 0);
        return this.store.count < this.#parts.sysctls.max;
      }
    }
    return false;
  }
}
