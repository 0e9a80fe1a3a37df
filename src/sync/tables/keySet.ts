/**
 * A set of flows that are known by 64 bits of hash alone: 8 bytes each, in an index that is at most
 * 3/4 full.
 */
import { HashIndex } from '../../conntrack/record/hashIndex.js';

/** `rest` is never 0, which marks an empty place of the index. */
export class KeySet {
  #count = 0;
  readonly #index = new HashIndex();

  get count(): number {
    return this.#count;
  }

  has(hash: number, rest: number): boolean {
    return this.#index.find(hash, isSame, rest) !== 0;
  }

  add(hash: number, rest: number): void {
    if (!this.has(hash, rest) && this.#index.insert(hash, rest)) this.#count++;
  }

  remove(hash: number, rest: number): boolean {
    if (!this.has(hash, rest) || !this.#index.remove(hash, rest)) return false;
    this.#count--;
    return true;
  }
}

const isSame = (stored: number, rest: number): boolean => stored === rest;
