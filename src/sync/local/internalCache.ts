/**
 * The flows of this node: what the mirror of the kernel's table reports becomes work for the
 * transmitter (conntrackd 1.4.7 «life of an internal object»). An ended flow stays, DEAD, until the
 * peer knows.
 *
 *   cachedInternal.ts    every flow of the kernel is kept
 *   bypassedInternal.ts  only what is on its way to the peer (DisableInternalCache)
 */
import type { Expectation } from '../../conntrack/codec/expectation.js';
import { statusBit } from '../../conntrack/constants.js';
import type { EventMessage } from '../../conntrack/kernel/kernelEvents.js';
import {
  isAnswered,
  kindField,
  lifecycle,
  presenceBit,
  recordWord,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import {
  noInjectedFlows,
  type FlowOrigin,
  type InjectedFlows,
  type MirrorListener,
} from '../../conntrack/kernel/mirrorListener.js';
import { CacheCounters } from '../tables/cacheCounters.js';
import { ExpectationCache, type ExpectationEntry } from '../tables/expectations.js';
import type { FingerprintedTable } from '../tables/fingerprintedTable.js';
import type { ChangeListener } from '../tables/changeListener.js';
import { DelayedDestroys } from './delayedDestroys.js';
import { HeldEnds, type EndedFlows } from './endedFlows.js';

/**
 * Whose the flows of the kernel are, as far as the role says it. `own`: all of them are this
 * node's. `committingAhead`: what this node injects is the peer's until the role comes; under the
 * internal bypass a dump leaves out the peer's flows. `leavingAhead`: under the internal bypass,
 * from the undoing of such a commit to the purge, a dump still leaves them out.
 */
export type Stance = 'own' | 'committingAhead' | 'leavingAhead';

/** What a cache asks of the kernel feed that fills it. */
export interface FeedState {
  /**
   * The kernel deletes masqueraded flows because an address or link went away: no news for the
   * peer.
   */
  isMassDelete(): boolean;
  /** A comparison with the kernel runs. */
  isComparing(): boolean;
  /** Whether the peer hears of what a comparison with the kernel found. */
  replicatesDumps(): boolean;
  /** The event that is handled now. */
  eventMessage(): EventMessage;
}

export interface InternalCacheOptions {
  readonly table: FingerprintedTable;
  readonly expectationLimit: number;
  readonly feed: FeedState;
  /** Whether the flow is one that the peer has sent. */
  readonly isPeers: (flow: FlowCursor) => boolean;
  /**
   * What this node injects for the peer is none of its own until traffic is seen; absent: it
   * injects nothing.
   */
  readonly injected?: InjectedFlows;
  /** The log of connections that ended; absent: none is kept. */
  readonly endedFlows?: EndedFlows;
}

/** An owner bit of recordWord.kind: the kernel counts this flow's packets since a takeover. */
const takenOverBit = 1 << (kindField.lowOwnerShift + 3);

type FlowListener = (flow: FlowCursor) => void;

export abstract class InternalCache implements MirrorListener {
  readonly table: FingerprintedTable;
  readonly expectations: ExpectationCache;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  protected readonly feed: FeedState;
  protected readonly delayed: DelayedDestroys;
  readonly #injected: InjectedFlows;
  readonly #isPeers: (flow: FlowCursor) => boolean;
  readonly #cursor: FlowCursor;
  #listener: ChangeListener | undefined;
  #stance: Stance = 'own';
  #isServing = true;
  #ignoresOwn = false;
  #ended: FlowListener | undefined;
  #touched: FlowListener | undefined;
  #adjusted: FlowListener | undefined;
  #created: ((keyHash: number) => void) | undefined;
  readonly #endedFlows: EndedFlows | undefined;
  readonly #ends: HeldEnds | undefined;

  constructor(options: InternalCacheOptions) {
    const { table, expectationLimit, feed, isPeers, injected, endedFlows } = options;
    this.table = table;
    this.expectations = new ExpectationCache(expectationLimit);
    this.feed = feed;
    this.#isPeers = isPeers;
    this.#injected = injected ?? noInjectedFlows;
    this.#cursor = table.newCursor();
    this.delayed = new DelayedDestroys(table);
    this.#endedFlows = endedFlows;
    if (endedFlows !== undefined) this.#ends = new HeldEnds(endedFlows, () => feed.eventMessage());
  }

  /** The table with every flow of this node; undefined where they stand in the kernel alone. */
  abstract get fullTable(): FingerprintedTable | undefined;

  /** The peer knows the present content of the slot, or need not. */
  abstract acknowledged(slot: number): void;

  /** As `acknowledged`. */
  abstract acknowledgedExpectation(entry: ExpectationEntry): void;

  /** A comparison of which the peer hears has ended. */
  abstract comparisonEnded(): void;

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  /** In place of whoever heard of ends before: each flow whose end the peer is to learn. */
  onEnded(listener: FlowListener | undefined): void {
    this.#ended = listener;
  }

  /**
   * In place of whoever heard of them before: each flow of an event that this node did not cause.
   */
  onTouched(listener: FlowListener | undefined): void {
    this.#touched = listener;
  }

  /**
   * In place of whoever heard of them before: the hash of each flow's key that the table did not
   * hold. The flow is in the table during the call.
   */
  onCreated(listener: ((keyHash: number) => void) | undefined): void {
    this.#created = listener;
  }

  /**
   * In place of whoever heard of them before: each flow whose status says SEQ_ADJUST while no
   * adjustment of it is known.
   */
  onUnknownAdjustment(listener: FlowListener | undefined): void {
    this.#adjusted = listener;
  }

  get stance(): Stance {
    return this.#stance;
  }

  setStance(stance: Stance): void {
    this.#stance = stance;
    this.#ignoresOwn = stance === 'committingAhead';
  }

  /** Whether the flows here are served by this node: always, but on a standby. */
  get isServing(): boolean {
    return this.#isServing;
  }

  /** MASTER, which takes over what was injected for the peer, or standby. */
  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    if (isServing) this.#injected.takeOver();
  }

  /**
   * Flows that this node commits before the role is certain are none of its own yet; no comparison
   * may find them.
   */
  get ignoresOwn(): boolean {
    return this.#ignoresOwn;
  }

  /** Whether the flow is one of this node's, as far as it is known here. */
  holds(flow: FlowCursor): boolean {
    const slot = this.table.find(flow);
    return slot !== 0 && this.table.lifecycle(slot) !== lifecycle.dead;
  }

  /** Whether this kernel has the flow and never saw a reply of it, as far as it is known here. */
  isUnanswered(flow: FlowCursor): boolean {
    const slot = this.table.find(flow);
    if (slot === 0 || this.table.lifecycle(slot) === lifecycle.dead) return false;
    return !isAnswered(this.table.seek(slot, this.#cursor));
  }

  created(slot: number, origin: FlowOrigin): void {
    if (origin === 'own' ? this.#isForPeer() : origin === 'dump' && this.leavesOut(slot)) {
      this.removeSlot(slot);
      return;
    }
    if (this.counts(origin)) this.counters.created++;
    if (this.#ends !== undefined) this.#noteTakeover(slot, this.#isTakenOver(slot, origin));
    this.#changed(slot, origin);
    this.#created?.(this.table.hashOf(this.table.seek(slot, this.#cursor)));
  }

  updated(slot: number, _changed: number, origin: FlowOrigin): void {
    this.table.setLifecycle(slot, lifecycle.alive);
    if (this.counts(origin)) this.counters.updated++;
    this.#changed(slot, origin);
  }

  destroyed(slot: number, origin: FlowOrigin): void {
    // Replaced by what is committed in advance: it is this node's flow all the same.
    if (origin === 'own' && this.#ignoresOwn) return;
    if (this.counts(origin)) this.counters.destroyed++;
    this.delayed.forget(slot);
    if (!this.#isNews(origin) || this.#isMasqueradeFlush(slot)) this.removeSlot(slot);
    else if (origin === 'event' && this.delayed.concerns(slot)) {
      this.delayed.delay(slot);
      this.#ends?.hold(slot);
    } else {
      this.#tellEnd(slot, origin);
      this.#sendDestroy(slot);
    }
  }

  /** This node ends a flow because the MASTER has. */
  endHere(flow: FlowCursor): void {
    const slot = this.table.find(flow);
    if (slot === 0 || this.table.lifecycle(slot) === lifecycle.dead) return;
    this.delayed.forget(slot);
    this.counters.destroyed++;
    this.#sendDestroy(slot);
  }

  /**
   * This node removes a flow that the MASTER has, or gives it up to the peer; the peer learns it
   * from the bulk that follows.
   */
  purged(flow: FlowCursor): void {
    const slot = this.table.find(flow);
    if (slot !== 0) this.removeSlot(slot);
  }

  /** Destroys are delayed: `tick` is waited for. */
  get isDelaying(): boolean {
    return !this.delayed.isEmpty;
  }

  /**
   * Every 100 ms. What was delayed is sent to the peer, or was part of a flush that became known
   * meanwhile.
   */
  tick(): void {
    const isMass = this.feed.isMassDelete();
    this.delayed.tick((slot) => {
      if (isMass) {
        this.removeSlot(slot);
        return;
      }
      this.#ends?.release(slot, this.table.seek(slot, this.#cursor), this.#wasTakenOver(slot));
      this.#sendDestroy(slot);
    }, isMass);
  }

  /**
   * DEAD flows hold their places until the peer knows; where it is away for long, living ones come
   * first.
   */
  makeRoom(): boolean {
    const { table } = this;
    if (table.count === table.alive) return false;
    this.#listener?.makeRoom(() => table.count < table.limit);
    return table.count < table.limit;
  }

  refused(): void {
    this.counters.createFailed++;
    this.counters.full++;
  }

  /** Frees a slot, whatever its state. */
  removeSlot(slot: number): void {
    this.#listener?.flowForgotten(slot);
    this.#ends?.forget(slot);
    this.table.remove(slot);
  }

  expectationSeen(content: Expectation, nowSeconds: number, isNews: boolean): void {
    const entry = this.expectations.put(content, nowSeconds);
    if (entry === undefined) {
      this.expectationCounters.createFailed++;
      this.expectationCounters.full++;
      return;
    }
    if (entry.lifecycle === lifecycle.fresh) this.expectationCounters.created++;
    else this.expectationCounters.updated++;
    if (isNews) this.#listener?.expectationChanged(entry);
  }

  expectationEnded(content: Expectation, nowSeconds: number, isNews: boolean): void {
    const entry = this.endedExpectation(content, nowSeconds, isNews);
    if (entry === undefined || entry.lifecycle === lifecycle.dead) return;
    this.expectationCounters.destroyed++;
    entry.lifecycle = lifecycle.dead;
    if (isNews && this.#listener !== undefined) this.#listener.expectationDied(entry);
    else this.removeExpectation(entry);
  }

  removeExpectation(entry: ExpectationEntry): void {
    this.#listener?.expectationForgotten(entry);
    this.expectations.remove(entry);
  }

  /** `-f internal`: nothing of it is sent to the peer. */
  clear(withExpectations: boolean): void {
    this.table.clear();
    this.delayed.clear();
    this.#ends?.clear();
    if (withExpectations) this.expectations.clear();
    this.#listener?.cleared();
  }

  protected get listener(): ChangeListener | undefined {
    return this.#listener;
  }

  /** Whether what the kernel reports is counted. */
  protected abstract counts(origin: FlowOrigin): boolean;

  /** Whether a flow that a dump found is none of this node's. */
  protected abstract leavesOut(slot: number): boolean;

  /** An event that this node did not cause named the flow. */
  protected abstract eventHeard(slot: number): void;

  /** Something was found of which the peer is not to hear. */
  protected abstract keptFromPeer(slot: number): void;

  /** The entry of an expectation that has ended, where the peer may know it. */
  protected abstract endedExpectation(
    content: Expectation,
    nowSeconds: number,
    isNews: boolean,
  ): ExpectationEntry | undefined;

  /** Only the external cache tells the peer's flows from this node's own. */
  protected isPeersFlow(slot: number): boolean {
    return this.#isPeers(this.table.seek(slot, this.#cursor));
  }

  #changed(slot: number, origin: FlowOrigin): void {
    this.delayed.forget(slot);
    this.#ends?.forget(slot);
    if (origin === 'event') {
      const flow = this.table.seek(slot, this.#cursor);
      this.#touched?.(flow);
      if (this.#injected.ended(flow) && this.#ends !== undefined) this.#noteTakeover(slot, true);
      if ((flow.get(recordWord.status) & statusBit.sequenceAdjust) !== 0) this.#lacksRest(flow);
      this.eventHeard(slot);
    }
    if (this.#isNews(origin)) this.#listener?.flowChanged(slot);
    else this.keptFromPeer(slot);
  }

  #lacksRest(flow: FlowCursor): void {
    if (!flow.knows(presenceBit.sequenceOriginal)) this.#adjusted?.(flow);
  }

  /**
   * What this node committed counts anew. While a commit runs its beginnings are not heard: an
   * update, or the comparison behind it, shows them.
   */
  #isTakenOver(slot: number, origin: FlowOrigin): boolean {
    if (origin === 'own') return true;
    // What was committed in advance may carry traffic before this thread is told of the role.
    const isTakingOver = this.#ignoresOwn || this.#endedFlows?.isTakingOver === true;
    return isTakingOver && this.isPeersFlow(slot);
  }

  #noteTakeover(slot: number, isTakenOver: boolean): void {
    const kept = this.table.read(slot, recordWord.kind) & ~takenOverBit;
    this.table.write(slot, recordWord.kind, kept | (isTakenOver ? takenOverBit : 0));
  }

  #wasTakenOver(slot: number): boolean {
    return (this.table.read(slot, recordWord.kind) & takenOverBit) !== 0;
  }

  #tellEnd(slot: number, origin: FlowOrigin): void {
    const ends = this.#ends;
    if (ends === undefined) return;
    const flow = this.table.seek(slot, this.#cursor);
    if (origin === 'event') ends.tell(flow, this.#wasTakenOver(slot));
    else ends.tellFound(flow, this.#wasTakenOver(slot));
  }

  #sendDestroy(slot: number): void {
    if (this.#ended !== undefined) this.#ended(this.table.seek(slot, this.#cursor));
    this.table.setLifecycle(slot, lifecycle.dead);
    if (this.#listener === undefined) this.removeSlot(slot);
    else this.#listener.flowDied(slot);
  }

  /** What this node's own sockets create. */
  #isForPeer(): boolean {
    return this.#ignoresOwn || this.#injected.isInjecting;
  }

  #isMasqueradeFlush(slot: number): boolean {
    return this.feed.isMassDelete() && this.delayed.mayBeMasqueradeFlush(slot);
  }

  /** There is no echo: what this node's own sockets did is not sent back. */
  #isNews(origin: FlowOrigin): boolean {
    return origin === 'event' || (origin === 'dump' && this.feed.replicatesDumps());
  }
}
