/**
 * DisableExternalCache: which flows of the kernel are there because the peer sent them. Their
 * events are known by the port that caused them, but events get lost, and a dump does not say who
 * made a flow: without this a comparison after an overrun would send the peer its own flows. 63
 * bits of hash per flow, no record: this is no cache.
 */
import { hashKey } from '../../conntrack/record/flowKey.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KeySet } from '../tables/keySet.js';

export class InjectedKeys {
  readonly #limit: number;
  readonly #seeds: readonly [number, number];
  #keys = new KeySet();
  /**
   * During a comparison: what it found, and what was injected meanwhile. The rest is not in the
   * kernel any more.
   */
  #seen: KeySet | undefined;
  /** What ended during a comparison, whose dump may be older than that. */
  #leaving = new KeySet();

  /** Beyond `limit` keys further ones are forgotten at once. */
  constructor(limit: number, seeds: readonly [number, number]) {
    this.#limit = limit;
    this.#seeds = seeds;
  }

  get count(): number {
    return this.#keys.count;
  }

  add(flow: FlowCursor): void {
    if (this.#keys.count >= this.#limit) return;
    const [hash, rest] = this.#keyOf(flow);
    this.#keys.add(hash, rest);
    this.#seen?.add(hash, rest);
    this.#leaving.remove(hash, rest);
  }

  /** The peer has ended it. */
  leave(flow: FlowCursor): void {
    const [hash, rest] = this.#keyOf(flow);
    this.#forget(hash, rest);
    if (this.#seen !== undefined) this.#leaving.add(hash, rest);
  }

  /** It is over, or this node's own traffic uses it. True where it was there. */
  remove(flow: FlowCursor): boolean {
    const [hash, rest] = this.#keyOf(flow);
    this.#leaving.remove(hash, rest);
    return this.#forget(hash, rest);
  }

  clear(): void {
    this.#keys = new KeySet();
    this.#leaving = new KeySet();
    if (this.#seen !== undefined) this.#seen = new KeySet();
  }

  /** To be asked for each flow of a comparison. */
  holds(flow: FlowCursor): boolean {
    const [hash, rest] = this.#keyOf(flow);
    if (!this.#keys.has(hash, rest)) return this.#leaving.has(hash, rest);
    this.#seen?.add(hash, rest);
    return true;
  }

  /** What was added before is in the kernel, or was refused there. */
  beginPass(): void {
    this.#seen = new KeySet();
  }

  endPass(isComplete: boolean): void {
    if (isComplete && this.#seen !== undefined) this.#keys = this.#seen;
    this.#seen = undefined;
    if (this.#leaving.count > 0) this.#leaving = new KeySet();
  }

  #forget(hash: number, rest: number): boolean {
    this.#seen?.remove(hash, rest);
    return this.#keys.remove(hash, rest);
  }

  #keyOf(flow: FlowCursor): readonly [number, number] {
    const [first, second] = this.#seeds;
    // 0 marks an empty place.
    return [hashKey(flow, first), (hashKey(flow, second) | 1) >>> 0];
  }
}
