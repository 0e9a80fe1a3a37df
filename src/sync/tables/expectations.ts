/**
 * A cache of expectations. They are few (nf_conntrack_expect_max is 4,096 for a whole machine), so
 * each is a plain object, found by the text of its tuples (conntrackd 1.4.7: all fields but the
 * timeout).
 */
import { expectationKey, type Expectation } from '../../conntrack/codec/expectation.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import { membership, type Membership } from './slotQueue.js';

/** One cached expectation; also the element of the transmit and resend queues. */
export interface ExpectationEntry {
  readonly key: string;
  content: Expectation;
  /** See `lifecycle` of flow records. */
  lifecycle: number;
  membership: Membership;
  /** Number under which it was sent last. */
  sequence: number;
  readonly createdSeconds: number;
  updatedSeconds: number;
  /** Number of the peer's last message about it. */
  heard: number;
  /** Which of the peer's streams of numbers that was. */
  stream: number;
}

/** What a kernel holds of them by default; a peer cannot make this node keep more in memory. */
const most = 4_096;

export class ExpectationCache {
  readonly limit: number;
  readonly #entries = new Map<string, ExpectationEntry>();

  /** `hashLimit` where it is smaller. */
  constructor(hashLimit: number) {
    this.limit = Math.min(hashLimit, most);
  }

  get count(): number {
    return this.#entries.size;
  }

  [Symbol.iterator](): IterableIterator<ExpectationEntry> {
    return this.#entries.values();
  }

  find(content: Expectation): ExpectationEntry | undefined {
    return this.#entries.get(expectationKey(content));
  }

  /** Whether this very entry is still there. */
  has(entry: ExpectationEntry): boolean {
    return this.#entries.get(entry.key) === entry;
  }

  /** Adds or changes; undefined where the cache is full. */
  put(content: Expectation, nowSeconds: number): ExpectationEntry | undefined {
    const key = expectationKey(content);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.content = { ...known.content, ...content };
      known.updatedSeconds = nowSeconds;
      known.lifecycle = known.lifecycle === lifecycle.dead ? lifecycle.fresh : lifecycle.alive;
      return known;
    }
    if (this.#entries.size >= this.limit) return undefined;
    const entry: ExpectationEntry = {
      key,
      content,
      lifecycle: lifecycle.fresh,
      membership: membership.none,
      sequence: 0,
      createdSeconds: nowSeconds,
      updatedSeconds: nowSeconds,
      heard: 0,
      stream: 0,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  remove(entry: ExpectationEntry): void {
    this.#entries.delete(entry.key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
