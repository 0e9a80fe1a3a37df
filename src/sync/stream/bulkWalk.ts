/**
 * A bulk: everything that this node has goes to the peer. It walks this node's flows, always behind
 * what changes meanwhile, and knows when the peer has all of them.
 */
import type { Walk } from '../tables/changeListener.js';
import { sequenceDistance } from '../wire/header.js';

export class BulkWalk {
  readonly #walk: Walk;
  #isWalking = false;
  #again = false;
  /** The number of the first message after the start; what is younger at the peer was sent. */
  #since = 0;
  /** All was queued; the number behind the last message of it, once that is known. */
  #isQueued = false;
  #end: number | undefined;
  /** Nothing was dropped since the start. */
  #isComplete = true;

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
    this.#isQueued = false;
    this.#end = undefined;
    this.#isComplete = true;
  }

  stop(): void {
    this.#walk.stop();
    this.#isWalking = false;
    this.#again = false;
    this.#isQueued = false;
    this.#end = undefined;
  }

  /** Some of it was lost and goes out under later numbers. */
  reopenEnd(): void {
    this.#end = undefined;
  }

  /**
   * Something was dropped that the peer may never hear of: its end is not announced, or the peer
   * would remove that flow.
   */
  markIncomplete(): void {
    this.#isComplete = false;
  }

  /** Queues the next few flows; to be called when the transmit queue is empty. */
  step(): void {
    if (!this.#isWalking || !this.#walk.step()) return;
    this.#isWalking = false;
    this.#isQueued = true;
    this.#end = undefined;
  }

  /**
   * Asked when the transmit queue was drained. `oldestUnacknowledged` is the oldest number still
   * out. Gives the bulk's start once the peer has everything, and then no more; nothing where some
   * of it was dropped.
   */
  finished(
    nextSequence: number,
    oldestUnacknowledged: number | undefined,
    nothingWaits: boolean,
  ): { readonly since: number; readonly entries: number } | undefined {
    if (!this.#isQueued || !nothingWaits) return undefined;
    this.#end ??= nextSequence;
    if (
      oldestUnacknowledged !== undefined &&
      sequenceDistance(oldestUnacknowledged, this.#end) < 0
    ) {
      return undefined;
    }
    this.#isQueued = false;
    const done = this.#isComplete ? { since: this.#since, entries: this.#walk.entries } : undefined;
    if (this.#again) {
      this.#again = false;
      this.start(nextSequence);
    }
    return done;
  }
}
