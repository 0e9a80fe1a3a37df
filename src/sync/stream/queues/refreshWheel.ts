/**
 * ALARM's refresh timers: one bucket per second, each a queue through the records. The bucket of a
 * flow stands in its sequence word, which ALARM has no other use for.
 */
import { subtractSeconds } from '../../../base/time.js';
import { recordWord } from '../../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../../conntrack/record/flowTable.js';
import { membership, SlotQueue } from '../../tables/slotQueue.js';

/** Longer delays are cut; a refresh that comes early does no harm. */
const mostBuckets = 4_096;

export class RefreshWheel {
  readonly #table: FlowTable;
  readonly #buckets: readonly SlotQueue[];
  /** The second up to which buckets were served. */
  #served: number | undefined;

  constructor(table: FlowTable, longestSeconds: number) {
    this.#table = table;
    const buckets = Math.min(mostBuckets, Math.max(2, longestSeconds + 2));
    this.#buckets = Array.from({ length: buckets }, () => new SlotQueue(table, membership.timer));
  }

  get count(): number {
    return this.#buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  }

  /** `delaySeconds` is at least 1. */
  add(slot: number, nowSeconds: number, delaySeconds: number): void {
    this.#served ??= nowSeconds;
    // A bucket before the served ones would wait for a whole turn of the wheel.
    const from = Math.max(nowSeconds, this.#served);
    const delay = Math.min(this.#buckets.length - 1, Math.max(1, delaySeconds));
    const index = (from + delay) % this.#buckets.length;
    this.#table.write(slot, recordWord.queueSequence, index);
    this.#buckets[index]!.push(slot);
  }

  remove(slot: number): void {
    this.#buckets[this.#table.read(slot, recordWord.queueSequence)]!.remove(slot);
  }

  /** Hands out the flows that are due, taken from the wheel. */
  due(nowSeconds: number, each: (slot: number) => void): void {
    if (this.#served === undefined) return;
    const from = Math.max(this.#served, subtractSeconds(nowSeconds, this.#buckets.length));
    for (let second = from + 1; second <= nowSeconds; second++) {
      const bucket = this.#buckets[second % this.#buckets.length]!;
      for (let slot = bucket.head; slot !== 0; slot = bucket.head) {
        bucket.remove(slot);
        each(slot);
      }
    }
    this.#served = Math.max(this.#served, nowSeconds);
  }

  reset(): void {
    for (const bucket of this.#buckets) bucket.reset();
  }
}
