/** Internal caches without a kernel: what a feed would say is set by the test. */
import { BypassedInternal } from '../../../src/sync/local/bypassedInternal.js';
import { CachedInternal } from '../../../src/sync/local/cachedInternal.js';
import type { FeedState, InternalCacheOptions } from '../../../src/sync/local/internalCache.js';
import type { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';

export class ManualFeed implements FeedState {
  isMass = false;
  isQuiet = false;
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
