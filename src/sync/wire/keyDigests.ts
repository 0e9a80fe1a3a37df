/**
 * Digests over the keys of one table, one for each 1/256 of the hash space: count and two sums, so
 * the order does not matter. Whoever has the same digest has the same flows, as far as their tuples
 * go.
 */
import { partCount, partOf } from '../tables/flowKeyHash.js';

export interface PartDigest {
  readonly count: number;
  readonly high: number;
  readonly low: number;
}

export class KeyDigests {
  readonly #count = new Uint32Array(partCount);
  readonly #high = new Uint32Array(partCount);
  readonly #low = new Uint32Array(partCount);

  add(hash: number, rest: number): void {
    const part = partOf(hash);
    this.#count[part]!++;
    this.#high[part]! += hash;
    this.#low[part]! += rest;
  }

  of(part: number): PartDigest {
    return { count: this.#count[part]!, high: this.#high[part]!, low: this.#low[part]! };
  }
}

export function isSameDigest(a: PartDigest, b: PartDigest): boolean {
  return a.count === b.count && a.high === b.high && a.low === b.low;
}
