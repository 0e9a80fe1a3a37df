/**
 * The hash table of one kernel: flows by the tuples of both directions, the memory that they take,
 * and who shares a source (NAT keeps a source's mapping).
 */
import type { RandomSource } from '../../../src/base/time.js';
import type { Tuple } from './kernelPorts.js';
import type { Flow } from './flow.js';

const exclusiveLimit = 0x1_0000_0000;

export class FlowStore {
  readonly #byKey = new Map<string, Flow>();
  readonly #flows = new Set<Flow>();
  readonly #bySource = new Map<string, Set<Flow>>();
  /** Freed memory, last in, first out, as a slab allocator hands it out again. */
  readonly #free: number[] = [];
  #memoryUsed = 0;
  #allocated = 0;
  readonly #idSeed: number;
  readonly #random: RandomSource;
  /** Counts insertions: a dump that runs looks at new flows too. */
  insertions = 0;

  constructor(random: RandomSource) {
    this.#random = random;
    this.#idSeed = random.below(exclusiveLimit);
  }

  /** nf_conntrack_count: whatever has memory. */
  get count(): number {
    return this.#allocated;
  }

  get size(): number {
    return this.#flows.size;
  }

  allocate(): { memory: number; bucket: number } {
    this.#allocated++;
    const memory = this.#free.pop() ?? ++this.#memoryUsed;
    return { memory, bucket: this.#random.below(exclusiveLimit) };
  }

  /** The entry was never inserted, or nobody waits for its end any more. */
  release(flow: Flow): void {
    this.#allocated--;
    this.#free.push(flow.memory);
  }

  /** Expired and dying ones too. */
  find(key: string): Flow | undefined {
    return this.#byKey.get(key);
  }

  insert(flow: Flow): void {
    flow.id = this.#idOf(flow);
    this.#byKey.set(flow.originalKey, flow);
    this.#byKey.set(flow.replyKey, flow);
    this.#flows.add(flow);
    this.insertions++;
    const source = sourceKey(flow.original);
    const others = this.#bySource.get(source);
    if (others === undefined) this.#bySource.set(source, new Set([flow]));
    else others.add(flow);
  }

  /** Lookups find it no more; its memory is still taken. */
  remove(flow: Flow): void {
    this.#byKey.delete(flow.originalKey);
    this.#byKey.delete(flow.replyKey);
    this.#flows.delete(flow);
    const source = sourceKey(flow.original);
    const others = this.#bySource.get(source);
    others?.delete(flow);
    if (others?.size === 0) this.#bySource.delete(source);
  }

  all(): ReadonlySet<Flow> {
    return this.#flows;
  }

  /** Flows with the protocol, source address and source port of this tuple. */
  ofSource(tuple: Tuple): Iterable<Flow> {
    return this.#bySource.get(sourceKey(tuple)) ?? [];
  }

  /** Opaque, and the same for a flow that is made anew in the memory of its like. */
  #idOf(flow: Flow): number {
    let hash = (this.#idSeed ^ Math.imul(flow.memory, 0x9e3779b1)) >>> 0;
    for (const key of [flow.originalKey, flow.replyKey]) {
      for (let i = 0; i < key.length; i++) {
        hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193) >>> 0;
      }
    }
    return hash === 0 ? 1 : hash;
  }
}

function sourceKey({ protocol, source, sourcePort }: Tuple): string {
  return `${protocol} ${source} ${sourcePort}`;
}
