/**
 * The leftovers of a role that has left: the flows that this kernel had then, each with the time at
 * which it would end by itself. A packet moves that time away: such a flow is served here and is no
 * leftover any more, and neither is another flow with the same tuple. 20 bytes per flow, from the
 * change of role to the end of the purge.
 */
import { HashIndex } from '../../conntrack/record/hashIndex.js';
import { presenceBit, recordWord, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { keyHash, keyRest, type KeySeeds } from '../tables/flowKeyHash.js';

/** Both times are whole seconds of two clocks that are read one after the other. */
const slackSeconds = 2;
const firstCapacity = 1_024;

export class Leftovers {
  readonly #seeds: KeySeeds;
  readonly #index = new HashIndex();
  #rest = new Uint32Array(firstCapacity);
  #id = new Uint32Array(firstCapacity);
  #endsAt = new Uint32Array(firstCapacity);
  #used = 0;
  #removed = 0;

  constructor(seeds: KeySeeds) {
    this.#seeds = seeds;
  }

  get count(): number {
    return this.#used - this.#removed;
  }

  /** As the kernel tells it when the role has left. One that is known has its time set anew. */
  note(flow: FlowCursor, nowSeconds: number): void {
    const hash = keyHash(flow, this.#seeds);
    const rest = keyRest(flow, this.#seeds);
    const known = this.#index.find(hash, this.#isSame, rest);
    const entry = known === 0 ? this.#add(hash, rest) : known;
    if (entry === 0) return;
    this.#id[entry - 1] = idOf(flow);
    this.#endsAt[entry - 1] = endOf(flow, nowSeconds);
  }

  has(flow: FlowCursor): boolean {
    return this.#find(flow) !== 0;
  }

  /**
   * Whether a flow of the kernel, as it is now, is still one. One that has grown is none from now
   * on.
   */
  isStill(flow: FlowCursor, nowSeconds: number): boolean {
    const entry = this.#find(flow);
    if (entry === 0) return false;
    const known = this.#id[entry - 1]!;
    const isOther = known !== 0 && flow.knows(presenceBit.id) && idOf(flow) !== known;
    if (!isOther && endOf(flow, nowSeconds) <= this.#endsAt[entry - 1]! + slackSeconds) return true;
    this.forget(flow);
    return false;
  }

  /** It has ended, or this node serves it. True where it was one. */
  forget(flow: FlowCursor): boolean {
    const entry = this.#find(flow);
    if (entry === 0 || !this.#index.remove(keyHash(flow, this.#seeds), entry)) return false;
    this.#removed++;
    return true;
  }

  #find(flow: FlowCursor): number {
    return this.#index.find(keyHash(flow, this.#seeds), this.#isSame, keyRest(flow, this.#seeds));
  }

  readonly #isSame = (entry: number, rest: number): boolean => this.#rest[entry - 1] === rest;

  /** 0 where the index cannot tell so many apart: such a flow stays in the kernel. */
  #add(hash: number, rest: number): number {
    if (this.#used === this.#rest.length) {
      this.#rest = grown(this.#rest);
      this.#id = grown(this.#id);
      this.#endsAt = grown(this.#endsAt);
    }
    const entry = this.#used + 1;
    if (!this.#index.insert(hash, entry)) return 0;
    this.#used = entry;
    this.#rest[entry - 1] = rest;
    return entry;
  }
}

function idOf(flow: FlowCursor): number {
  return flow.knows(presenceBit.id) ? flow.get(recordWord.id) : 0;
}

/** A flow without a time of its own never grows. */
function endOf(flow: FlowCursor, nowSeconds: number): number {
  return flow.knows(presenceBit.timeout) ? nowSeconds + flow.get(recordWord.timeout) : 0;
}

function grown(before: Uint32Array): Uint32Array<ArrayBuffer> {
  const after = new Uint32Array(before.length * 2);
  after.set(before);
  return after;
}
