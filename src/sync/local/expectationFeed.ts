/**
 * Which expectations of the kernel are synchronised (conntrackd 1.4.7 `ExpectationSync`): those of
 * the helpers named, and only while this node replicates their master flow.
 */
import { wholeSeconds, type Clock } from '../../base/time.js';
import { expectationKey, seekMaster, type Expectation } from '../../conntrack/codec/expectation.js';
import { newScratch, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import type { InternalCache } from './internalCache.js';
import type { SyncSettings } from '../settings.js';

/** What a node with an internal cache and one without know of expectations. */
export interface ExpectationRules {
  /**
   * Whether the flow is one of those that the peer is sent; `isAlive`: now, and not only at some
   * time.
   */
  replicatesMaster(master: FlowCursor, isAlive: boolean): boolean;
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

  constructor(parts: ExpectationFeedParts) {
    this.#parts = parts;
    this.#master = newScratch(parts.names);
  }

  event(kind: 'new' | 'destroy', expectation: Expectation, isNews: boolean): void {
    const { cache } = this.#parts;
    if (!this.accepts(expectation, kind === 'new')) return;
    if (kind === 'new') cache.expectationSeen(expectation, this.#nowSeconds(), isNews);
    else cache.expectationEnded(expectation, this.#nowSeconds(), isNews);
  }

  /**
   * `isAlive`: its master must be replicated now. The end of an expectation may come after its
   * master's.
   */
  accepts(expectation: Expectation, isAlive = true): boolean {
    const { setting, rules } = this.#parts;
    if (!isWanted(setting, expectation)) return false;
    return rules.replicatesMaster(seekMaster(this.#master, expectation), isAlive);
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
