/**
 * The flows of this node: what the mirror of the kernel's table reports becomes work for the transmitter
 * (conntrackd 1.4.7 «life of an internal object»). An ended flow stays, DEAD, until the peer knows.
 */
import type { Expectation } from '../conntrack/expectation.js';
import { lifecycle } from '../conntrack/flowRecord.js';
import type { FlowOrigin, MirrorListener } from '../conntrack/flowMirror.js';
import { CacheCounters } from './cacheCounters.js';
import { ExpectationCache, type ExpectationEntry } from './expectations.js';
import type { FingerprintedTable } from './fingerprintedTable.js';
import { HeldDeaths } from './heldDeaths.js';

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
}

export class InternalCache implements MirrorListener {
  readonly table: FingerprintedTable;
  readonly expectations: ExpectationCache;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  /** Whether the peer hears of what a comparison with the kernel found. */
  tellsDumps = true;
  /** DisableExternalCache: flows that this node injects for the peer are none of its own. */
  ignoresOwn = false;
  /** The kernel deletes because an address or link went away: no news for the peer. */
  isMassDelete: () => boolean = () => false;
  #listener: ChangeListener | undefined;
  readonly #held: HeldDeaths;

  constructor(table: FingerprintedTable, expectationLimit: number) {
    this.table = table;
    this.#held = new HeldDeaths(table);
    this.expectations = new ExpectationCache(expectationLimit);
  }

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  created(slot: number, origin: FlowOrigin): void {
    if (origin === 'own' && this.ignoresOwn) {
      this.removeSlot(slot);
      return;
    }
    this.counters.created++;
    this.#held.forget(slot);
    if (this.#isNews(origin)) this.#listener?.flowChanged(slot);
  }

  updated(slot: number, _changed: number, origin: FlowOrigin): void {
    this.table.setLifecycle(slot, lifecycle.alive);
    this.#held.forget(slot);
    this.counters.updated++;
    if (this.#isNews(origin)) this.#listener?.flowChanged(slot);
  }

  destroyed(slot: number, origin: FlowOrigin): void {
    this.counters.destroyed++;
    this.#held.forget(slot);
    if (!this.#isNews(origin) || this.isMassDelete()) this.removeSlot(slot);
    else if (origin === 'event' && this.#held.concerns(slot)) this.#held.hold(slot);
    else this.#tellDeath(slot);
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
  }

  #tellDeath(slot: number): void {
    this.table.setLifecycle(slot, lifecycle.dead);
    if (this.#listener === undefined) this.removeSlot(slot);
    else this.#listener.flowDied(slot);
  }

  refused(): void {
    this.counters.createFailed++;
    this.counters.full++;
  }

  /** Frees a slot, whatever its state. */
  removeSlot(slot: number): void {
    this.#listener?.flowForgotten(slot);
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

  expectationEnded(content: Expectation, tellPeer: boolean): void {
    const entry = this.expectations.find(content);
    if (entry === undefined || entry.lifecycle === lifecycle.dead) return;
    this.expectationCounters.destroyed++;
    entry.lifecycle = lifecycle.dead;
    if (tellPeer && this.#listener !== undefined) this.#listener.expectationDied(entry);
    else this.removeExpectation(entry);
  }

  removeExpectation(entry: ExpectationEntry): void {
    this.#listener?.expectationForgotten(entry);
    this.expectations.remove(entry);
  }

  /** `-f internal`: nothing of it is told to the peer. */
  clear(withExpectations: boolean): void {
    this.table.clear();
    this.#held.clear();
    if (withExpectations) this.expectations.clear();
    this.#listener?.cleared();
  }

  /** There is no echo: what this node's own sockets did is not sent back. */
  #isNews(origin: FlowOrigin): boolean {
    return origin === 'event' || (origin === 'dump' && this.tellsDumps);
  }
}
