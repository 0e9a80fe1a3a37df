/**
 * Which expectations of the kernel are synchronised (conntrackd 1.4.7 `ExpectationSync`): those of
 * the helpers named, and only while this node replicates their master flow. One that comes before
 * its master waits for it.
 */
import { wholeSeconds, type Clock } from '../../base/time.js';
import { expectationKey, seekMaster, type Expectation } from '../../conntrack/codec/expectation.js';
import { newScratch, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import type { InternalCache } from './internalCache.js';
import type { SyncSettings } from '../settings.js';
import { WaitingExpectations } from './waitingExpectations.js';

/** What a node with an internal cache and one without know of expectations. */
export interface ExpectationRules {
  /**
   * Whether the flow is one of those that the peer is sent; `isAlive`: now, and not only at some
   * time.
   */
  replicatesMaster(master: FlowCursor, isAlive: boolean): boolean;
  /** A master that is not replicated now may be so once the kernel has reported it. */
  readonly awaitsMaster: boolean;
  /** What is known already is no news when a dump finds it. */
  isKnown(expectation: Expectation): boolean;
}

export interface ExpectationFeedParts {
  readonly setting: SyncSettings['expectationSync'];
  readonly names: NameTable;
  readonly cache: InternalCache;
  readonly rules: ExpectationRules;
  readonly clock: Clock;
}

export class ExpectationFeed {
  readonly #parts: ExpectationFeedParts;
  readonly #master: FlowCursor;
  readonly #waiting = new WaitingExpectations();

  constructor(parts: ExpectationFeedParts) {
    this.#parts = parts;
    this.#master = newScratch(parts.names);
  }

  event(kind: 'new' | 'destroy', expectation: Expectation, isNews: boolean): void {
    if (!isWanted(this.#parts.setting, expectation)) return;
    if (kind === 'new') this.#begun(expectation, isNews);
    else this.#ended(expectation, isNews);
  }

  /** Whether it is one that is synchronised now. */
  accepts(expectation: Expectation): boolean {
    return isWanted(this.#parts.setting, expectation) && this.#replicatesMaster(expectation, true);
  }

  /** Expectations whose master is not known yet. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /**
   * Compares with the kernel's; what is cached and no longer there has ended. Rejects with
   * KernelError.
   */
  async compare(isNews: boolean): Promise<void> {
    const { setting, names, cache } = this.#parts;
    if (setting === 'off') return;
    const before = [...cache.expectations];
    const seen = new Set<string>();
    // The dump shows those that still wait; the end of one may be among the events that were lost.
    this.#waiting.clear();
    const dump = new KernelDump({ kind: 'expectations' }, names, {
      expectation: (expectation) => {
        seen.add(expectationKey(expectation));
        this.#read(expectation, isNews);
      },
    });
    await dump.done;
    for (const { key, content } of before) {
      if (!seen.has(key)) cache.expectationEnded(content, this.#nowSeconds(), isNews);
    }
  }

  #read(expectation: Expectation, isNews: boolean): void {
    if (!this.#parts.rules.isKnown(expectation)) this.event('new', expectation, isNews);
  }

  #begun(content: Expectation, isNews: boolean): void {
    const { cache, rules } = this.#parts;
    const heardSeconds = this.#nowSeconds();
    const master = seekMaster(this.#master, content);
    if (rules.replicatesMaster(master, true)) {
      cache.expectationSeen(content, heardSeconds, isNews);
    } else if (rules.awaitsMaster) {
      const masterHash = cache.table.hashOf(master);
      this.#waiting.keep({ content, masterHash, heardSeconds, isNews });
      cache.onCreated((hash) => this.#flowCreated(hash));
    }
  }

  #ended(content: Expectation, isNews: boolean): void {
    this.#waiting.end(content);
    this.#listenWhileWaiting();
    // The end of an expectation may come after its master's.
    if (!this.#replicatesMaster(content, false)) return;
    this.#parts.cache.expectationEnded(content, this.#nowSeconds(), isNews);
  }

  /** A flow whose key has this hash is in the cache now: perhaps one that is waited for. */
  #flowCreated(hash: number): void {
    for (const waiting of this.#waiting.take(hash)) {
      const { content, heardSeconds, isNews } = waiting;
      if (this.#replicatesMaster(content, true)) {
        this.#parts.cache.expectationSeen(content, heardSeconds, isNews);
      } else this.#waiting.keep(waiting);
    }
    this.#listenWhileWaiting();
  }

  /** Without anything that waits a new flow costs nothing here. */
  #listenWhileWaiting(): void {
    if (this.#waiting.count === 0) this.#parts.cache.onCreated(undefined);
  }

  #replicatesMaster(expectation: Expectation, isAlive: boolean): boolean {
    return this.#parts.rules.replicatesMaster(seekMaster(this.#master, expectation), isAlive);
  }

  #nowSeconds(): number {
    return wholeSeconds(this.#parts.clock.now());
  }
}

/** Helper names by prefix, in any case: `sip` matches `sip-5060` (conntrackd 1.4.7). */
function isWanted(setting: SyncSettings['expectationSync'], { helper }: Expectation): boolean {
  if (setting === 'off') return false;
  if (setting === 'all') return true;
  const name = (helper ?? '').toLowerCase();
  return setting.some((prefix) => name.startsWith(prefix.toLowerCase()));
}
