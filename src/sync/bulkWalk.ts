/**
 * A bulk: everything in the internal cache goes to the peer. It walks the table a few slots at a time, always
 * behind what changes meanwhile, and knows when the peer has all of it.
 */
import type { ExpectationEntry } from './expectations.js';
import type { InternalCache } from './internalCache.js';
import { membership, membershipOf } from './queues/slotQueue.js';
import { sequenceDistance } from './wire/header.js';

const slotsPerStep = 64;

export interface BulkSink {
  flowChanged(slot: number): void;
  expectationChanged(entry: ExpectationEntry): void;
}

export class BulkWalk {
  readonly #cache: InternalCache;
  readonly #sink: BulkSink;
  #slot = 0;
  #isWalking = false;
  #again = false;
  /** The number of the first message after the start; what is younger at the peer was told. */
  #since = 0;
  #entries = 0;
  /** All was queued; the number behind the last message of it, once that is known. */
  #isTold = false;
  #end: number | undefined;

  constructor(cache: InternalCache, sink: BulkSink) {
    this.#cache = cache;
    this.#sink = sink;
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
    this.#slot = 0;
    this.#since = nextSequence;
    this.#entries = 0;
    this.#isTold = false;
    this.#end = undefined;
  }

  stop(): void {
    this.#isWalking = false;
    this.#again = false;
    this.#isTold = false;
    this.#end = undefined;
  }

  /** Some of it was lost and goes out under later numbers. */
  postpone(): void {
    this.#end = undefined;
  }

  /** Queues the next few flows; to be called when the transmit queue is empty. */
  step(): void {
    if (!this.#isWalking) return;
    const { table } = this.#cache;
    for (let i = 0; i < slotsPerStep; i++) {
      this.#slot = table.next(this.#slot);
      if (this.#slot === 0) {
        this.#finishWalk();
        return;
      }
      this.#entries++;
      if (membershipOf(table, this.#slot) !== membership.transmit) {
        this.#sink.flowChanged(this.#slot);
      }
    }
  }

  /**
   * Asked when the transmit queue was drained. `oldestUnacknowledged` is the oldest number still out. Gives
   * the bulk's start once the peer has everything, and then no more.
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
    const done = { since: this.#since, entries: this.#entries };
    if (this.#again) {
      this.#again = false;
      this.start(nextSequence);
    }
    return done;
  }

  #finishWalk(): void {
    for (const entry of this.#cache.expectations) this.#sink.expectationChanged(entry);
    this.#isWalking = false;
    this.#isTold = true;
    this.#end = undefined;
  }
}
