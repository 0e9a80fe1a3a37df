/**
 * What a MASTER has ended since it took the role, until the peer has confirmed its purge: the
 * peer's kernel may still hold such a flow, and its messages may offer it. Eight bytes per flow.
 * Each 1/256 of the hash space holds a bounded number; one that is full is not complete, and then
 * of a flow that is in neither memory nor kernel nothing is known: it is neither purged there nor
 * committed here.
 */
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { keyHash, keyRest, type KeySeeds } from '../tables/flowKeyHash.js';
import { KeySet } from '../tables/keySet.js';
import { partCount, partOf } from '../wire/keyDigests.js';

/** 1,048,576 in all: 8 MiB, and a third more for the room in the index. */
const mostPerPart = 4_096;

export class EndedKeys {
  readonly seeds: KeySeeds;
  readonly #most: number;
  readonly #keys = new KeySet();
  readonly #perPart = new Uint32Array(partCount);
  readonly #isFull = new Uint8Array(partCount);

  constructor(seeds: KeySeeds, most = mostPerPart) {
    this.seeds = seeds;
    this.#most = most;
  }

  get count(): number {
    return this.#keys.count;
  }

  add(flow: FlowCursor): void {
    const hash = keyHash(flow, this.seeds);
    const part = partOf(hash);
    if (this.#perPart[part]! >= this.#most) {
      this.#isFull[part] = 1;
      return;
    }
    const before = this.#keys.count;
    this.#keys.add(hash, keyRest(flow, this.seeds));
    this.#perPart[part]! += this.#keys.count - before;
  }

  has(hash: number, rest: number): boolean {
    return this.#keys.has(hash, rest);
  }

  /** False where something was ended that there was no room for. */
  isComplete(part: number): boolean {
    return this.#isFull[part] === 0;
  }
}
