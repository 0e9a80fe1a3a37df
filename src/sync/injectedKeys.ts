/**
 * DisableExternalCache: which flows of the kernel are there because the peer told them. Their events are known by the
 * port that caused them, but events get lost, and a dump does not say who made a flow: without this a comparison after
 * an overrun would tell the peer its own flows. 63 bits of hash per flow, no record: this is no cache.
 */
import { hashKey } from '../conntrack/flowKey.js';
import type { InjectedFlows } from '../conntrack/flowMirror.js';
import type { FlowCursor } from '../conntrack/flowRecord.js';
import { HashIndex } from '../conntrack/hashIndex.js';

export class InjectedKeys implements InjectedFlows {
  readonly #limit: number;
  readonly #seeds: readonly [number, number];
  #keys = new HashIndex();
  #count = 0;
  /** During a pass: those that the kernel still has, and those injected since it began. */
  #seen: HashIndex | undefined;
  #seenCount = 0;

  /** Beyond `limit` keys further ones are forgotten at once. */
  constructor(limit: number, seeds: readonly [number, number]) {
    this.#limit = limit;
    this.#seeds = seeds;
  }

  get count(): number {
    return this.#count;
  }

  add(flow: FlowCursor): void {
    const [hash, rest] = this.#keyOf(flow);
    if (this.#count < this.#limit && insert(this.#keys, hash, rest)) this.#count++;
    this.#see(hash, rest);
  }

  /** It is over, or this node's own traffic uses it. */
  remove(flow: FlowCursor): boolean {
    const [hash, rest] = this.#keyOf(flow);
    if (this.#seen?.remove(hash, rest) === true) this.#seenCount--;
    if (!this.#keys.remove(hash, rest)) return false;
    this.#count--;
    return true;
  }

  ended(flow: FlowCursor): boolean {
    return this.remove(flow);
  }

  /** Also marks it as still there. */
  holds(flow: FlowCursor): boolean {
    const [hash, rest] = this.#keyOf(flow);
    if (!contains(this.#keys, hash, rest)) return false;
    this.#see(hash, rest);
    return true;
  }

  beginPass(): void {
    this.#seen = new HashIndex();
    this.#seenCount = 0;
  }

  endPass(isComplete: boolean): void {
    if (isComplete && this.#seen !== undefined) {
      this.#keys = this.#seen;
      this.#count = this.#seenCount;
    }
    this.#seen = undefined;
  }

  #see(hash: number, rest: number): void {
    if (this.#seen === undefined || this.#seenCount >= this.#limit) return;
    if (insert(this.#seen, hash, rest)) this.#seenCount++;
  }

  #keyOf(flow: FlowCursor): readonly [number, number] {
    const [first, second] = this.#seeds;
    // 0 marks an empty place.
    return [hashKey(flow, first), (hashKey(flow, second) | 1) >>> 0];
  }
}

const isSame = (stored: number, rest: number): boolean => stored === rest;

function contains(keys: HashIndex, hash: number, rest: number): boolean {
  return keys.find(hash, isSame, rest) !== 0;
}

/** False where it was there already. */
function insert(keys: HashIndex, hash: number, rest: number): boolean {
  return !contains(keys, hash, rest) && keys.insert(hash, rest);
}
