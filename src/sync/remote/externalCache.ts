/**
 * The flows of the peer: what its messages make of the external table (conntrackd 1.4.7 «life of an
 * external object»). NEW replaces, UPDATE merges or adds, DELETE of something unknown is nothing.
 * HashLimit bounds it, so that a peer cannot exhaust this node's memory. Each flow remembers the
 * number of the last message that named it, by which the end of a bulk shows what the peer no
 * longer has.
 */
import { subtractSeconds } from '../../base/time.js';
import {
  lifecycle,
  presenceBit,
  recordWord,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import type { Expectation } from '../../conntrack/codec/expectation.js';
import { ExpectationCache } from '../tables/expectations.js';
import type { FingerprintedTable } from '../tables/fingerprintedTable.js';
import { CacheCounters } from '../tables/cacheCounters.js';
import { membership, membershipOf, SlotQueue } from '../tables/slotQueue.js';
import { messageKind, sequenceDistance } from '../wire/header.js';

/**
 * Up to this share a table that was full has room again: with less to spare each flow that ends
 * would have everything told once more.
 */
const roomyShare = 0.9;

/** Where the peer's messages go: this cache, or the kernel where DisableExternalCache is on. */
export interface ExternalStore {
  /** `flow` is the receiver's scratch record, valid during the call. */
  applyFlow(kind: number, flow: FlowCursor, sequence: number, nowSeconds: number): void;
  applyExpectation(kind: number, content: Expectation, sequence: number, nowSeconds: number): void;
  /** From here on the peer's numbers have nothing to do with the earlier ones. */
  streamBegan(): void;
}

/** Called at each accepted change, while a commit is to be kept up to date. */
export interface ExternalListener {
  flowApplied(slot: number): void;
  /** The flow is still there during the call. */
  flowEnding(slot: number): void;
}

/** What a bulk of the peer that has ended judges. */
export interface SweepScope {
  /** The number of its first message. */
  readonly since: number;
  /** Nothing that an earlier life of the peer told: nobody has taken it over yet. */
  readonly keepsOlder: boolean;
}

export class ExternalCache implements ExternalStore {
  readonly table: FingerprintedTable;
  readonly expectations: ExpectationCache;
  readonly counters = new CacheCounters();
  readonly expectationCounters = new CacheCounters();
  /** ALARM: in the order of their last messages, so that the head expires first. */
  readonly #expiry: SlotQueue | undefined;
  #deleted: ((flow: FlowCursor) => void) | undefined;
  #listener: ExternalListener | undefined;
  /** Flows were refused since the peer was asked last. */
  #lacksRefused = false;
  #stream = 0;

  constructor(table: FingerprintedTable, expectationLimit: number, expires: boolean) {
    this.table = table;
    this.expectations = new ExpectationCache(expectationLimit);
    this.#expiry = expires ? new SlotQueue(table, membership.timer) : undefined;
  }

  /** Which of the peer's streams of numbers is heard; grows with each. */
  get stream(): number {
    return this.#stream;
  }

  /**
   * In place of whoever heard of them before: each flow of which the peer says that it has ended,
   * whether it is known here or not.
   */
  onDeleted(listener: (flow: FlowCursor) => void): void {
    this.#deleted = listener;
  }

  /** In place of whoever listens. */
  listen(listener: ExternalListener): void {
    this.#listener = listener;
  }

  /** Nothing where another one listens by now. */
  unlisten(listener: ExternalListener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  applyFlow(kind: number, flow: FlowCursor, sequence: number, nowSeconds: number): void {
    const known = this.table.find(flow);
    if (kind === messageKind.flowDelete) {
      this.#deleted?.(flow);
      if (known === 0) {
        this.counters.destroyNotFound++;
        return;
      }
      this.#listener?.flowEnding(known);
      this.remove(known);
      this.counters.destroyed++;
      return;
    }
    const slot = known === 0 ? this.#insert(flow, nowSeconds) : known;
    if (slot === 0) return;
    if (known !== 0) this.#change(kind, known, flow, nowSeconds);
    this.table.write(slot, recordWord.queueSequence, sequence);
    this.table.markSeen(slot);
    if (this.#expiry !== undefined) {
      if (membershipOf(this.table, slot) === membership.timer) this.#expiry.remove(slot);
      this.#expiry.push(slot);
      this.table.write(slot, recordWord.queueSequence, sequence);
    }
    this.#listener?.flowApplied(slot);
  }

  applyExpectation(kind: number, content: Expectation, sequence: number, nowSeconds: number): void {
    const counters = this.expectationCounters;
    if (kind === messageKind.expectationDelete) {
      const entry = this.expectations.find(content);
      if (entry === undefined) counters.destroyNotFound++;
      else {
        this.expectations.remove(entry);
        counters.destroyed++;
      }
      return;
    }
    const isKnown = this.expectations.find(content) !== undefined;
    const entry = this.expectations.put(content, nowSeconds);
    if (entry === undefined) {
      counters.createFailed++;
      counters.full++;
      return;
    }
    entry.heard = sequence;
    entry.stream = this.#stream;
    if (isKnown) counters.updated++;
    else counters.created++;
  }

  /** What was heard in the old stream counts as older than anything in the new one. */
  streamBegan(): void {
    this.table.beginGeneration();
    this.#stream++;
  }

  remove(slot: number): void {
    if (this.#expiry !== undefined && membershipOf(this.table, slot) === membership.timer) {
      this.#expiry.remove(slot);
    }
    this.table.remove(slot);
  }

  /** ALARM: removes what was not heard of for `timeoutSeconds`; at most `most` at a time. */
  expire(nowSeconds: number, timeoutSeconds: number, most: number): void {
    const queue = this.#expiry;
    if (queue === undefined) return;
    for (const entry of this.expectations) {
      if (subtractSeconds(nowSeconds, entry.updatedSeconds) < timeoutSeconds) continue;
      this.expectations.remove(entry);
      this.expectationCounters.destroyed++;
    }
    for (let i = 0; i < most && queue.head !== 0; i++) {
      if (this.#age(queue.head, nowSeconds) < timeoutSeconds) return;
      this.remove(queue.head);
      this.counters.destroyed++;
    }
  }

  /**
   * Removes the flows after slot `from` that no message named since number `since`: the peer's bulk
   * has ended and they were not part of it. With `keepsOlder` those stay that an earlier life of
   * the peer told. Looks at up to `most` slots; returns where to go on, 0 at the end.
   */
  sweep(
    from: number,
    { since, keepsOlder }: SweepScope,
    most: number,
    removed: (count: number) => void,
  ): number {
    let slot = from;
    let count = 0;
    for (let i = 0; i < most; i++) {
      slot = this.table.next(slot);
      if (slot === 0) break;
      const heard = this.table.read(slot, recordWord.queueSequence);
      const isKept = this.table.wasSeen(slot) ? sequenceDistance(heard, since) >= 0 : keepsOlder;
      if (isKept) continue;
      this.#listener?.flowEnding(slot);
      this.remove(slot);
      this.counters.destroyed++;
      count++;
    }
    if (slot === 0) {
      for (const entry of this.expectations) {
        const isOlder = entry.stream !== this.#stream;
        const isOld = isOlder ? !keepsOlder : sequenceDistance(entry.heard, since) < 0;
        if (isOld) this.expectations.remove(entry);
      }
    }
    removed(count);
    return slot;
  }

  /**
   * True once where flows were refused because the table was full, and a tenth of it is free again:
   * the peer, which takes them for told, is to be asked for all it has.
   */
  hasRoomForRefused(): boolean {
    const { alive, limit } = this.table;
    if (!this.#lacksRefused || alive > roomyShare * limit) return false;
    this.#lacksRefused = false;
    return true;
  }

  clear(withExpectations: boolean): void {
    this.table.clear();
    this.#expiry?.reset();
    if (withExpectations) this.expectations.clear();
  }

  /** Seconds until the flow expires; undefined where it does not. */
  expiresIn(slot: number, nowSeconds: number, timeoutSeconds: number): number | undefined {
    if (this.#expiry === undefined) return undefined;
    return subtractSeconds(timeoutSeconds, this.#age(slot, nowSeconds));
  }

  #age(slot: number, nowSeconds: number): number {
    return subtractSeconds(nowSeconds, this.table.read(slot, recordWord.updated));
  }

  #insert(flow: FlowCursor, nowSeconds: number): number {
    const slot = this.table.insert(flow, nowSeconds);
    if (slot === 0) {
      this.counters.createFailed++;
      this.counters.full++;
      this.#lacksRefused = true;
      return 0;
    }
    this.counters.created++;
    return slot;
  }

  #change(kind: number, slot: number, flow: FlowCursor, nowSeconds: number): void {
    const { table } = this;
    if (kind === messageKind.flowNew) {
      table.replace(slot, flow, nowSeconds);
      this.counters.created++;
    } else {
      table.merge(slot, flow, nowSeconds);
      // A peer tells the mark it knows: a flow that began anew there has none of the one before it.
      if (!flow.knows(presenceBit.mark)) table.forget(slot, presenceBit.mark);
      table.setLifecycle(slot, lifecycle.alive);
      this.counters.updated++;
    }
  }
}
