/**
 * The request numbers of conntrackd 1.4.7's client, and two of keepstate's own, against the engine.
 */
import { subtractSeconds, toSeconds } from '../../base/time.js';
import type { Engine } from '../engine/engine.js';
import { kernelListing } from './kernelListing.js';
import { expectationListing, flowListing, type ListingFormat } from './listing.js';
import type { CacheName, SyncRequest, SyncStatus } from '../messages.js';
import { serveRequest, type Served } from './requests.js';
import {
  cacheStatistics,
  generalStatistics,
  linkStatistics,
  networkStatistics,
  queueStatistics,
  resendStatistics,
  runtimeStatistics,
  statisticsInput,
} from './statistics.js';

const verbs: Readonly<Record<number, SyncRequest>> = {
  46: { verb: 'commit', table: 'all' },
  18: { verb: 'commit', table: 'conntrack' },
  42: { verb: 'commit', table: 'expect' },
  22: { verb: 'bulk' },
  23: { verb: 'request' },
  45: { verb: 'flush', cache: 'all' },
  33: { verb: 'flush', cache: 'internal' },
  34: { verb: 'flush', cache: 'external' },
  43: { verb: 'flushKernel', table: 'all' },
  0: { verb: 'flushKernel', table: 'conntrack' },
  38: { verb: 'flushKernel', table: 'expect' },
  44: { verb: 'resync', table: 'all' },
  1: { verb: 'resync', table: 'conntrack' },
  39: { verb: 'resync', table: 'expect' },
  26: { verb: 'purge' },
};

const flowLists: Readonly<Record<number, readonly [CacheName, ListingFormat]>> = {
  16: ['internal', 'text'],
  24: ['internal', 'xml'],
  17: ['external', 'text'],
  25: ['external', 'xml'],
  1016: ['internal', 'json'],
  1017: ['external', 'json'],
};

const expectationLists: Readonly<Record<number, readonly [CacheName, ListingFormat]>> = {
  40: ['internal', 'text'],
  47: ['internal', 'xml'],
  41: ['external', 'text'],
  48: ['external', 'xml'],
};

export interface Clients extends Served {
  readonly engine: Served['engine'] & Pick<Engine, 'filter' | 'names' | 'settings'>;
}

/** All but `-k` (20), which the caller hands to the main thread. */
export async function* answerClient(
  { engine, role }: Clients,
  request: number,
  status: () => SyncStatus,
  startedAt: number,
): AsyncGenerator<string> {
  const verb = verbs[request];
  const flows = flowLists[request];
  const expectations = expectationLists[request];
  if (verb !== undefined) await serveRequest({ engine, role }, verb);
  else if (flows !== undefined) yield* listFlows(engine, ...flows);
  else if (expectations !== undefined) yield* listExpectations(engine, ...expectations);
  else yield statistics(engine, request, status(), startedAt);
}

async function* listFlows(
  engine: Clients['engine'],
  cache: CacheName,
  format: ListingFormat,
): AsyncGenerator<string> {
  if (cache === 'internal' && engine.internal.fullTable === undefined) {
    yield* kernelListing(engine, 'flows', format);
    return;
  }
  for (const piece of flowListing(engine, cache, format)) {
    yield piece;
    await new Promise<void>((resolve) => {
      engine.ports.turns.next(resolve);
    });
  }
}

async function* listExpectations(
  engine: Clients['engine'],
  cache: CacheName,
  format: ListingFormat,
): AsyncGenerator<string> {
  if (cache === 'internal' && engine.internal.fullTable === undefined) {
    yield* kernelListing(engine, 'expectations', format);
  } else yield expectationListing(engine, cache, format);
}

function statistics(
  engine: Clients['engine'],
  request: number,
  status: SyncStatus,
  startedAt: number,
): string {
  switch (request) {
    case 21:
      return generalStatistics(statisticsInput(engine, status, false));
    case 37:
      return engine.settings.expectationSync === 'off'
        ? ''
        : generalStatistics(statisticsInput(engine, status, true));
    case 28:
      return networkStatistics(status);
    case 29:
      return cacheStatistics(statisticsInput(engine, status, false));
    case 30:
      return runtimeStatistics(
        status,
        subtractSeconds(toSeconds(engine.ports.clock.now()), startedAt),
      );
    case 31:
      return linkStatistics(status);
    case 32:
      return engine.settings.mode === 'FTFW'
        ? resendStatistics(engine.replicator.transmitter.resend.elements())
        : '';
    case 36:
      return queueStatistics(status, engine.settings.mode);
    default:
      return '';
  }
}
