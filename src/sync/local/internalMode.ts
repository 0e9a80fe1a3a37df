/**
 * This node's flows: the cache, the feed that fills it and the check beside the kernel, made for
 * each other. The one place that asks for DisableInternalCache.
 */
import type { KernelCount } from '../../conntrack/kernel/kernelCount.js';
import type { SyncSettings } from '../settings.js';
import { BypassedCheck } from './bypassedCheck.js';
import { BypassedFeed } from './bypassedFeed.js';
import { BypassedInternal } from './bypassedInternal.js';
import { CachedCheck } from './cachedCheck.js';
import { CachedFeed } from './cachedFeed.js';
import { CachedInternal } from './cachedInternal.js';
import type { FeedState, InternalCache, InternalCacheOptions } from './internalCache.js';
import type { Delivery, KernelCheck, KernelCheckParts } from './kernelCheck.js';
import type { KernelFeed, KernelFeedOptions } from './kernelFeed.js';

export interface InternalParts
  extends
    Omit<InternalCacheOptions, 'feed' | 'expectationLimit'>,
    Omit<KernelFeedOptions, 'cache' | 'compared' | 'injected'> {
  /** How far the peer was sent what changed. */
  readonly transmitter: () => Delivery;
  readonly count: Pick<KernelCount, 'read' | 'close'>;
  /** Flows of the kernel that stand there for the peer. */
  readonly injectedCount: () => number;
}

export interface InternalSide {
  readonly cache: InternalCache;
  readonly feed: KernelFeed;
  readonly check: KernelCheck;
}

interface InternalMode {
  readonly newCache: (options: InternalCacheOptions) => InternalCache;
  readonly newFeed: (options: KernelFeedOptions) => KernelFeed;
  readonly newCheck: (parts: KernelCheckParts) => KernelCheck;
}

const cached: InternalMode = {
  newCache: (options) => new CachedInternal(options),
  newFeed: (options) => new CachedFeed(options),
  newCheck: (parts) => new CachedCheck(parts),
};

const internalBypass: InternalMode = {
  newCache: (options) => new BypassedInternal(options),
  newFeed: (options) => new BypassedFeed(options),
  newCheck: (parts) => new BypassedCheck(parts),
};

function modeOf({ disableInternalCache }: SyncSettings): InternalMode {
  return disableInternalCache ? internalBypass : cached;
}

/** Joins the event groups. Throws KernelError. */
export function newInternalSide(parts: InternalParts): InternalSide {
  const mode = modeOf(parts.settings);
  // The three know each other; what one asks of another it asks when all are there.
  const state: FeedState = {
    isMassDelete: () => feed.isMassDelete(),
    isComparing: () => feed.isComparing(),
    replicatesDumps: () => feed.replicatesDumps(),
    eventMessage: () => feed.eventMessage(),
  };
  const expectationLimit = parts.settings.hashLimit;
  const cache = mode.newCache({ ...parts, expectationLimit, feed: state });
  const check = mode.newCheck({
    ...parts,
    internal: cache,
    feed: () => feed,
    injected: parts.injectedCount,
  });
  const feed: KernelFeed = mode.newFeed({
    ...parts,
    cache,
    compared: (result, startedAt) => {
      check.compared(result, startedAt);
    },
  });
  return { cache, feed, check };
}
