/**
 * Which expectations of the kernel are synchronised (conntrackd 1.4.7 `ExpectationSync`): those of the helpers named,
 * and only while this node replicates their master flow. Without an internal cache the filter alone judges the
 * master, by its original tuple.
 */
import { wholeSeconds, type Clock } from '../../base/time.js';
import { expectationKey, seekMaster, type Expectation } from '../../conntrack/codec/expectation.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import { lifecycle, newScratch, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import type { InternalCache } from './internalCache.js';
import type { SyncSettings } from '../settings.js';

export interface ExpectationFeedParts {
  readonly setting: SyncSettings['expectationSync'];
  readonly names: NameTable;
  readonly cache: InternalCache;
  readonly filter: FlowFilter;
  readonly clock: Clock;
}

export class ExpectationFeed {
  readonly #parts: ExpectationFeedParts;
  readonly #master: FlowCursor;

  constructor(parts: ExpectationFeedParts) {
    this.#parts = parts;
    this.#master = newScratch(parts.names);
  }

  event(kind: 'new' | 'destroy', expectation: Expectation, tellPeer: boolean): void {
    const { cache } = this.#parts;
    if (!this.accepts(expectation, kind === 'new')) return;
    if (kind === 'new') cache.expectationSeen(expectation, this.#nowSeconds(), tellPeer);
    else cache.expectationEnded(expectation, this.#nowSeconds(), tellPeer);
  }

  /** `isAlive`: its master must be replicated now. The end of an expectation may come after its master's. */
  accepts(expectation: Expectation, isAlive = true): boolean {
    const { setting, cache, filter } = this.#parts;
    if (!isWanted(setting, expectation)) return false;
    const master = seekMaster(this.#master, expectation);
    if (cache.passesThrough) return filter.acceptsTuple(master);
    if (!isAlive) return true;
    const slot = cache.table.find(master);
    return slot !== 0 && cache.table.lifecycle(slot) !== lifecycle.dead;
  }

  /** Compares with the kernel's; what is cached and no longer there has ended. Rejects with KernelError. */
  async compare(tellPeer: boolean): Promise<void> {
    const { setting, names, cache } = this.#parts;
    if (setting === 'off') return;
    const before = [...cache.expectations];
    const seen = new Set<string>();
    const dump = new KernelDump({ kind: 'expectations' }, names, {
      expectation: (expectation) => {
        seen.add(expectationKey(expectation));
        this.#read(expectation, tellPeer);
      },
    });
    await dump.done;
    for (const { key, content } of before) {
      if (!seen.has(key)) cache.expectationEnded(content, this.#nowSeconds(), tellPeer);
    }
  }

  /** What is known already is no news. */
  #read(expectation: Expectation, tellPeer: boolean): void {
    const { cache } = this.#parts;
    const known = cache.expectations.find(expectation);
    if (known !== undefined && known.lifecycle !== lifecycle.dead && !cache.passesThrough) return;
    this.event('new', expectation, tellPeer);
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
