/**
 * A bulk: everything that this node has goes to the peer. It walks the internal cache a few slots at a time, or the
 * kernel's table where there is no such cache (dumpWalk.ts), always behind what changes meanwhile, and knows when
 * the peer has all of it.
 */
import type { ExpectationEntry } from '../tables/expectations.js';
import type { InternalCache } from '../local/internalCache.js';
import { membership, membershipOf } from '../tables/slotQueue.js';
import { sequenceDistance } from '../wire/header.js';

const slotsPerStep = 64;

export interface BulkSink {
  flowChanged(slot: number): void;
  expectationChanged(entry: ExpectationEntry): void;
}

/** Where a bulk finds the flows. */
export interface Walk {
  begin(): void;
  /** Queues some more; to be called when nothing waits. True once all were queued. */
  step(): boolean;
  /** Flows queued since `begin`. */
  readonly entries: number;
  stop(): void;
}

export class TableWalk implements Walk {
  entries = 0;
  readonly #cache: InternalCache;
  readonly #sink: BulkSink;
  #slot = 0;

  constructor(cache: InternalCache, sink: BulkSink) {
    this.#cache = cache;
    this.#sink = sink;
  }

  begin(): void {
    this.#slot = 0;
    this.entries = 0;
  }

  step(): boolean {
    const { table, expectations } = this.#cache;
    for (let i = 0; i < slotsPerStep; i++) {
      this.#slot = table.next(this.#slot);
      if (this.#slot === 0) {
        for (const entry of expectations) this.#sink.expectationChanged(entry);
        return true;
      }
      this.entries++;
      if (membershipOf(table, this.#slot) !== membership.transmit) {
        this.#sink.flowChanged(this.#slot);
      }
    }
    return false;
  }

  stop(): void {
    this.#slot = 0;
  }
}

export class BulkWalk {
  readonly #walk: Walk;
  #isWalking = false;
  #again = false;
  /** The number of the first message after the start; what is younger at the peer was told. */
  #since = 0;
  /** All was queued; the number behind the last message of it, once that is known. */
  #isTold = false;
  #end: number | undefined;
  /** Nothing was dropped since the start. */
  #isWhole = true;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  /** Until everything was queued. */
  get isRunning(): boolean {
    return this.#isWalking;
  }

  start(nextSequence: number): void {
    if (this.#isWalking) {
      this.#again = true;
      return;
    }
    this.#isWalking = true;
    this.#since = nextSequence;
    this.#walk.begin();
    this.#isTold = false;
    this.#end = undefined;
    this.#isWhole = true;
  }

  stop(): void {
    this.#walk.stop();
    this.#isWalking = false;
    this.#again = false;
    this.#isTold = false;
    this.#end = undefined;
  }

  /** Some of it was lost and goes out under later numbers. */
  postpone(): void {
    this.#end = undefined;
  }

  /** Something was dropped that the peer may never hear of: its end is not told, or the peer would remove that flow. */
  spoil(): void {
    this.#isWhole = false;
  }

  /** Queues the next few flows; to be called when the transmit queue is empty. */
  step(): void {
    if (!this.#isWalking || !this.#walk.step()) return;
    this.#isWalking = false;
    this.#isTold = true;
    this.#end = undefined;
  }

  /**
   * Asked when the transmit queue was drained. `oldestUnacknowledged` is the oldest number still out. Gives
   * the bulk's start once the peer has everything, and then no more; nothing where some of it was dropped.
   */
  finished(
    nextSequence: number,
    oldestUnacknowledged: number | undefined,
    nothingWaits: boolean,
  ): { readonly since: number; readonly entries: number } | undefined {
    if (!this.#isTold || !nothingWaits) return undefined;
    this.#end ??= nextSequence;
    if (
      oldestUnacknowledged !== undefined &&
      sequenceDistance(oldestUnacknowledged, this.#end) < 0
    ) {
      return undefined;
    }
    this.#isTold = false;
    const done = this.#isWhole ? { since: this.#since, entries: this.#walk.entries } : undefined;
    if (this.#again) {
      this.#again = false;
      this.start(nextSequence);
    }
    return done;
  }
}
