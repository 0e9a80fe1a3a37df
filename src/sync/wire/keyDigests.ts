/**
 * Digests over the keys of one table, one for each 1/256 of the hash space: count and two sums, so
 * the order does not matter. Whoever has the same digest has the same flows, as far as their tuples
 * go.
 */

/** Shares of the hash space that are compared one after the other. */
export const partCount = 256;

/** `hash` is the first half of a key's (tables/flowKeyHash.ts). */
export function partOf(hash: number): number {
  return hash >>> 24;
}

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
