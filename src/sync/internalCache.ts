/**
 * The flows of this node: the table, their life, counters and fingerprint. Every change goes through here, so
 * that the fingerprint stays true and the transmitter hears of what the peer must learn (conntrackd 1.4.7
 * «life of an internal object»).
 */
import { lifecycle, type FlowCursor } from '../conntrack/flowRecord.js';
import type { FlowTable } from '../conntrack/flowTable.js';
import { ExpectationCache, type Expectation, type ExpectationEntry } from './expectations.js';
import { Fingerprint } from './fingerprint.js';
import { CacheCounters } from './cacheCounters.js';

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

export class InternalCache {
  readonly table: FlowTable;
  readonly expectations: ExpectationCache;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  readonly fingerprint = new Fingerprint();
  readonly #cursor: FlowCursor;
  #listener: ChangeListener | undefined;

  constructor(table: FlowTable, expectationLimit: number) {
    this.table = table;
    this.expectations = new ExpectationCache(expectationLimit);
    this.#cursor = table.newCursor();
  }

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  /**
   * The kernel has a new flow. An entry with the same key is an older flow whose end was missed. Returns the
   * slot, or 0 where the cache is full. `tellPeer` is false for what the commit of this node created.
   */
  flowNew(flow: FlowCursor, nowSeconds: number, tellPeer: boolean): number {
    const known = this.table.find(flow);
    if (known === 0) return this.#insert(flow, nowSeconds, tellPeer);
    this.#uncount(known);
    this.table.replace(known, flow, nowSeconds);
    this.#count(known);
    this.counters.created++;
    if (tellPeer) this.#listener?.flowChanged(known);
    return known;
  }

  /** The kernel's flow changed, or a dump told of it: merged, or added where it was unknown. */
  flowSeen(flow: FlowCursor, nowSeconds: number, tellPeer: boolean): number {
    const { table } = this;
    const known = table.find(flow);
    if (known === 0) return this.#insert(flow, nowSeconds, tellPeer);
    if (table.lifecycle(known) === lifecycle.dead) return this.flowNew(flow, nowSeconds, tellPeer);
    this.fingerprint.subtract(table.seek(known, this.#cursor));
    table.merge(known, flow, nowSeconds);
    table.setLifecycle(known, lifecycle.alive);
    this.#count(known);
    this.counters.updated++;
    if (tellPeer) this.#listener?.flowChanged(known);
    return known;
  }

  /**
   * A dump told of a flow: like `flowSeen`, but an entry that says the same stays as it is, so that a dump
   * does not turn every NEW into an update. The slot, negative where the peer need not hear of it; 0 where
   * the cache is full.
   */
  flowDumped(flow: FlowCursor, nowSeconds: number): number {
    const { table } = this;
    const known = table.find(flow);
    if (known === 0 || table.lifecycle(known) === lifecycle.dead) {
      return this.flowNew(flow, nowSeconds, false);
    }
    const before = this.fingerprint.low;
    this.fingerprint.subtract(table.seek(known, this.#cursor));
    table.merge(known, flow, nowSeconds);
    this.#count(known);
    if (this.fingerprint.low === before) return -known;
    table.setLifecycle(known, lifecycle.alive);
    this.counters.updated++;
    return known;
  }

  /** The kernel's flow ended. With `tellPeer` the entry stays, DEAD, until the peer knows. */
  flowEnded(flow: FlowCursor, tellPeer: boolean): void {
    const slot = this.table.find(flow);
    if (slot === 0) {
      this.counters.destroyNotFound++;
      return;
    }
    this.slotEnded(slot, tellPeer);
  }

  slotEnded(slot: number, tellPeer: boolean): void {
    const isDead = this.table.lifecycle(slot) === lifecycle.dead;
    if (isDead && tellPeer) return;
    if (!tellPeer || this.#listener === undefined) {
      this.removeSlot(slot);
      if (!isDead) this.counters.destroyed++;
      return;
    }
    this.counters.destroyed++;
    this.fingerprint.subtract(this.table.seek(slot, this.#cursor));
    this.table.setLifecycle(slot, lifecycle.dead);
    this.#listener.flowDied(slot);
  }

  /** Frees a slot, whatever its state. */
  removeSlot(slot: number): void {
    if (this.table.lifecycle(slot) !== lifecycle.dead) {
      this.fingerprint.subtract(this.table.seek(slot, this.#cursor));
    }
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
    this.fingerprint.reset();
    if (withExpectations) this.expectations.clear();
    this.#listener?.cleared();
  }

  #insert(flow: FlowCursor, nowSeconds: number, tellPeer: boolean): number {
    const slot = this.table.insert(flow, nowSeconds);
    if (slot === 0) {
      this.counters.createFailed++;
      this.counters.full++;
      return 0;
    }
    this.#count(slot);
    this.counters.created++;
    if (tellPeer) this.#listener?.flowChanged(slot);
    return slot;
  }

  #count(slot: number): void {
    this.fingerprint.add(this.table.seek(slot, this.#cursor));
  }

  #uncount(slot: number): void {
    if (this.table.lifecycle(slot) === lifecycle.dead) return;
    this.fingerprint.subtract(this.table.seek(slot, this.#cursor));
  }
}
