/**
 * Where the peer's flows stay: in the external cache until a role commits them, or in the kernel at
 * once. The one place that asks for DisableExternalCache.
 */
import type { Turns } from '../../base/time.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import { noInjectedFlows, type InjectedFlows } from '../../conntrack/kernel/mirrorListener.js';
import type { SyncSettings } from '../settings.js';
import type { CacheCounters } from '../tables/cacheCounters.js';
import { DirectInjection, type InjectionPorts, type OwnFlows } from './directInjection.js';
import type { ExternalCache, ExternalStore, SweepScope } from './externalCache.js';
import { sweepExternal } from './externalSweep.js';

/** Where the peer's messages go, and what became of them. */
export interface CountingStore extends ExternalStore {
  readonly counters: CacheCounters;
  readonly expectationCounters: CacheCounters;
}

export interface ExternalMode {
  readonly store: CountingStore;
  /** Flows that can be committed; undefined where they stand in the kernel already. */
  readonly committable: ExternalCache | undefined;
  /** Flows that stand in the kernel for the peer, as far as it is asked for them. */
  readonly injected: InjectedFlows;
  /** How many these are. */
  readonly injectedCount: number;
  /** The sockets by which they came there. */
  readonly portIds: readonly number[];
  /** What no message named since the bulk began is gone at the peer; number of flows removed. */
  sweep(scope: SweepScope, turns: Turns, isOver: () => boolean): Promise<number>;
  close(): void;
}

/** Throws KernelError. */
export function externalModeOf(
  settings: SyncSettings,
  cache: ExternalCache,
  names: NameTable,
  ports: InjectionPorts,
  own: OwnFlows,
): ExternalMode {
  return settings.disableExternalCache
    ? injectedMode(new DirectInjection(settings, names, ports, own))
    : cachedMode(cache);
}

function cachedMode(cache: ExternalCache): ExternalMode {
  return {
    store: cache,
    committable: cache,
    injected: noInjectedFlows,
    injectedCount: 0,
    portIds: [],
    sweep: (scope, turns, isOver) => sweepExternal(cache, scope, turns, isOver),
    close: () => undefined,
  };
}

function injectedMode(injection: DirectInjection): ExternalMode {
  return {
    store: injection,
    committable: undefined,
    injected: injection,
    get injectedCount() {
      return injection.keys.count;
    },
    portIds: injection.portIds,
    // Nothing remembers which message named a flow.
    sweep: () => Promise.resolve(0),
    close: () => {
      injection.close();
    },
  };
}
