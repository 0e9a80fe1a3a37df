/**
 * The flows of this node: what the mirror of the kernel's table reports becomes work for the transmitter
 * (conntrackd 1.4.7 «life of an internal object»). An ended flow stays, DEAD, until the peer knows.
 */
import type { Expectation } from '../../conntrack/codec/expectation.js';
import { lifecycle, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import type {
  FlowOrigin,
  InjectedFlows,
  MirrorListener,
} from '../../conntrack/kernel/mirrorListener.js';
import { CacheCounters } from '../tables/cacheCounters.js';
import { ExpectationCache, type ExpectationEntry } from '../tables/expectations.js';
import type { FingerprintedTable } from '../tables/fingerprintedTable.js';
import { HeldDeaths } from './heldDeaths.js';
import { membership, membershipOf } from '../tables/slotQueue.js';

/** Who must hear of changes. */
export interface ChangeListener {
  flowChanged(slot: number): void;
  /** The slot is DEAD; the listener removes it when the peer need not hear of it any more. */
  flowDied(slot: number): void;
  /** The slot is about to be freed. */
  flowForgotten(slot: number): void;
  expectationChanged(entry: ExpectationEntry): void;
  expectationDied(entry: ExpectationEntry): void;
  expectationForgotten(entry: ExpectationEntry): void;
  /** Everything was forgotten at once. */
  cleared(): void;
  /** A change could not be kept until it is told: the peer must be told everything. */
  changeLost(): void;
  /** The table is full: what waits longest for the peer is given up until `hasRoom`, and everything told later. */
  makeRoom(hasRoom: () => boolean): void;
}

/**
 * Whose the flows of the kernel are, as far as the role says it. `own`: all of them are this node's.
 * `committingAhead`: what this node injects is the peer's until the role comes; under the internal bypass a
 * dump leaves out the peer's flows. `leavingAhead`: under the internal bypass, from the undoing of such a
 * commit to the purge, a dump still leaves them out.
 */
export type Stance = 'own' | 'committingAhead' | 'leavingAhead';

/** What an empty table may keep of its memory. */
const restingBytes = 2 << 20;

export class InternalCache implements MirrorListener {
  readonly table: FingerprintedTable;
  readonly expectations: ExpectationCache;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  /** Whether the peer hears of what a comparison with the kernel found. */
  tellsDumps = true;
  /** DisableExternalCache: what this node injects for the peer is none of its own until traffic is seen. */
  injected: InjectedFlows | undefined;
  isPeers: (flow: FlowCursor) => boolean = () => false;
  /**
   * DisableInternalCache: flows pass through. The table holds them until the peer was told, and during a comparison
   * also those that an event named, because the comparison may hold older news of them.
   */
  readonly passesThrough: boolean;
  isComparing: () => boolean = () => false;
  /** The kernel deletes masqueraded flows because an address or link went away: no news for the peer. */
  isMassDelete: () => boolean = () => false;
  /** Set while this node is MASTER: it remembers what its kernel has ended. */
  flowEnded: ((flow: FlowCursor) => void) | undefined;
  /** Set while leftovers are kept: an event that this node did not cause. */
  flowTouched: ((flow: FlowCursor) => void) | undefined;
  #listener: ChangeListener | undefined;
  readonly #held: HeldDeaths;
  readonly #cursor: FlowCursor;
  readonly #kept = new Set<number>();
  #stance: Stance = 'own';
  #ignoresOwn = false;
  #skipsPeers = false;

  constructor(table: FingerprintedTable, expectationLimit: number, passesThrough = false) {
    this.table = table;
    this.passesThrough = passesThrough;
    this.#cursor = table.newCursor();
    this.#held = new HeldDeaths(table);
    this.expectations = new ExpectationCache(expectationLimit);
  }

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  get stance(): Stance {
    return this.#stance;
  }

  setStance(stance: Stance): void {
    this.#stance = stance;
    this.#ignoresOwn = stance === 'committingAhead';
    // Only the external cache tells the peer's flows from this node's own.
    this.#skipsPeers = this.passesThrough && stance !== 'own';
  }

  /**
   * Flows that this node commits before the role is certain are none of its own yet; no comparison may find
   * them.
   */
  get ignoresOwn(): boolean {
    return this.#ignoresOwn;
  }

  /** Whether the flow is one of this node's, as far as it is known here. */
  holds(flow: FlowCursor): boolean {
    const slot = this.table.find(flow);
    return slot !== 0 && this.table.lifecycle(slot) !== lifecycle.dead;
  }

  created(slot: number, origin: FlowOrigin): void {
    const isOthers = origin === 'own' && (this.#ignoresOwn || this.injected !== undefined);
    if (isOthers || (origin === 'dump' && this.#isPeers(slot))) {
      this.removeSlot(slot);
      return;
    }
    if (this.#counts(origin)) this.counters.created++;
    this.#changed(slot, origin);
  }

  updated(slot: number, _changed: number, origin: FlowOrigin): void {
    this.table.setLifecycle(slot, lifecycle.alive);
    if (this.#counts(origin)) this.counters.updated++;
    this.#changed(slot, origin);
  }

  destroyed(slot: number, origin: FlowOrigin): void {
    // Replaced by what is committed in advance: it is this node's flow all the same.
    if (origin === 'own' && this.#ignoresOwn) return;
    if (this.#counts(origin)) this.counters.destroyed++;
    this.#held.forget(slot);
    if (!this.#isNews(origin) || this.#isOfMass(slot)) this.removeSlot(slot);
    else if (origin === 'event' && this.#held.concerns(slot)) this.#held.hold(slot);
    else this.#tellDeath(slot);
  }

  /** This node ends a flow because the MASTER has. */
  endHere(flow: FlowCursor): void {
    const slot = this.table.find(flow);
    if (slot === 0 || this.table.lifecycle(slot) === lifecycle.dead) return;
    this.#held.forget(slot);
    this.counters.destroyed++;
    this.#tellDeath(slot);
  }

  /**
   * This node removes a flow that the MASTER has; the peer learns it from the bulk that follows.
   */
  purged(flow: FlowCursor): void {
    const slot = this.table.find(flow);
    if (slot !== 0) this.removeSlot(slot);
  }

  /** Deaths are held: `tick` is waited for. */
  get isHolding(): boolean {
    return !this.#held.isEmpty;
  }

  /** Every 100 ms. What was held is told to the peer, or was part of a mass that became known meanwhile. */
  tick(): void {
    const isMass = this.isMassDelete();
    this.#held.tick((slot) => {
      if (isMass) this.removeSlot(slot);
      else this.#tellDeath(slot);
    }, isMass);
    // A burst that waited here for the link leaves its memory behind.
    const { table } = this;
    if (this.passesThrough && table.count === 0 && table.memoryBytes > restingBytes) {
      table.clear();
      // Its slots are no more: an entry that was forgotten must not be looked up.
      this.#held.clear();
    }
  }

  /** The peer knows the present content of the slot, or need not. */
  told(slot: number): void {
    if (this.table.lifecycle(slot) === lifecycle.dead) this.removeSlot(slot);
    else if (this.passesThrough && !this.#kept.has(slot) && !this.#held.has(slot)) {
      this.removeSlot(slot);
    }
  }

  /** DisableInternalCache: a comparison has ended. */
  comparisonEnded(): void {
    const kept = [...this.#kept];
    this.#kept.clear();
    for (const slot of kept) {
      if (membershipOf(this.table, slot) === membership.none) this.told(slot);
    }
  }

  #tellDeath(slot: number): void {
    if (this.flowEnded !== undefined) this.flowEnded(this.table.seek(slot, this.#cursor));
    this.table.setLifecycle(slot, lifecycle.dead);
    if (this.#listener === undefined) this.removeSlot(slot);
    else this.#listener.flowDied(slot);
  }

  /** DEAD flows hold their places until the peer knows; where it is away for long, living ones come first. */
  makeRoom(): boolean {
    const { table } = this;
    if (table.count === table.alive) return false;
    this.#listener?.makeRoom(() => table.count < table.limit);
    return table.count < table.limit;
  }

  refused(): void {
    this.counters.createFailed++;
    this.counters.full++;
    if (this.passesThrough) this.#listener?.changeLost();
  }

  /** Frees a slot, whatever its state. */
  removeSlot(slot: number): void {
    this.#listener?.flowForgotten(slot);
    if (this.passesThrough) this.#kept.delete(slot);
    this.table.remove(slot);
  }

  expectationSeen(content: Expectation, nowSeconds: number, tellPeer: boolean): void {
    const entry = this.expectations.put(content, nowSeconds);
    if (entry === undefined) {
      this.expectationCounters.createFailed++;
      this.expectationCounters.full++;
      return;
    }
    if (entry.lifecycle === lifecycle.fresh) this.expectationCounters.created++;
    else this.expectationCounters.updated++;
    if (tellPeer) this.#listener?.expectationChanged(entry);
  }

  expectationEnded(content: Expectation, nowSeconds: number, tellPeer: boolean): void {
    const { expectations } = this;
    const entry =
      this.passesThrough && tellPeer
        ? expectations.put(content, nowSeconds)
        : expectations.find(content);
    if (entry === undefined || entry.lifecycle === lifecycle.dead) return;
    this.expectationCounters.destroyed++;
    entry.lifecycle = lifecycle.dead;
    if (tellPeer && this.#listener !== undefined) this.#listener.expectationDied(entry);
    else this.removeExpectation(entry);
  }

  /** As `told`. */
  toldExpectation(entry: ExpectationEntry): void {
    if (entry.lifecycle === lifecycle.dead || this.passesThrough) this.removeExpectation(entry);
  }

  removeExpectation(entry: ExpectationEntry): void {
    this.#listener?.expectationForgotten(entry);
    this.expectations.remove(entry);
  }

  /** `-f internal`: nothing of it is told to the peer. */
  clear(withExpectations: boolean): void {
    this.table.clear();
    this.#held.clear();
    this.#kept.clear();
    if (withExpectations) this.expectations.clear();
    this.#listener?.cleared();
  }

  #changed(slot: number, origin: FlowOrigin): void {
    this.#held.forget(slot);
    if (origin === 'event') {
      this.flowTouched?.(this.table.seek(slot, this.#cursor));
      this.injected?.ended(this.table.seek(slot, this.#cursor));
      if (this.passesThrough && this.isComparing()) this.#kept.add(slot);
    }
    if (this.#isNews(origin)) this.#listener?.flowChanged(slot);
    else if (this.passesThrough && membershipOf(this.table, slot) === membership.none) {
      this.told(slot);
    }
  }

  #isPeers(slot: number): boolean {
    return this.#skipsPeers && this.isPeers(this.table.seek(slot, this.#cursor));
  }

  #isOfMass(slot: number): boolean {
    return this.isMassDelete() && this.#held.canBeMass(slot);
  }

  /** What passes through is counted when the kernel tells it, not when it is read once more. */
  #counts(origin: FlowOrigin): boolean {
    return !this.passesThrough || origin === 'event';
  }

  /** There is no echo: what this node's own sockets did is not sent back. */
  #isNews(origin: FlowOrigin): boolean {
    return origin === 'event' || (origin === 'dump' && this.tellsDumps);
  }
}
