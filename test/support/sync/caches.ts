/** Internal caches without a kernel: what a feed would say is set by the test. */
import type { EventMessage } from '../../../src/conntrack/kernel/kernelEvents.js';
import { BypassedInternal } from '../../../src/sync/local/bypassedInternal.js';
import { CachedInternal } from '../../../src/sync/local/cachedInternal.js';
import type { FeedState, InternalCacheOptions } from '../../../src/sync/local/internalCache.js';
import type { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';

export class ManualFeed implements FeedState {
  isMass = false;
  isQuiet = false;
  /** The bytes of the event that is handled. */
  event: Uint8Array = new Uint8Array(0);
  comparing: () => boolean = () => false;

  isMassDelete(): boolean {
    return this.isMass;
  }

  isComparing(): boolean {
    return this.comparing();
  }

  replicatesDumps(): boolean {
    return !this.isQuiet;
  }

  eventMessage(): EventMessage {
    const bytes = new Uint8Array(this.event);
    return { view: new DataView(bytes.buffer), bytes, at: 0, length: bytes.length };
  }
}

function optionsOf(
  table: FingerprintedTable,
  limit: number,
  feed: FeedState,
): InternalCacheOptions {
  return { table, expectationLimit: limit, feed, isPeers: () => false };
}

export function cachedInternal(
  table: FingerprintedTable,
  limit: number,
  feed: FeedState = new ManualFeed(),
): CachedInternal {
  return new CachedInternal(optionsOf(table, limit, feed));
}

export function bypassedInternal(
  table: FingerprintedTable,
  limit: number,
  feed: FeedState = new ManualFeed(),
): BypassedInternal {
  return new BypassedInternal(optionsOf(table, limit, feed));
}
