/**
 * What a node with `Stats` and no `Sync` answers: the verbs of keepstate, and the numbers of
 * conntrackd 1.4.7's client that its mode `Stats` answers. The others say nothing and do nothing,
 * `-f` among them; `-f internal` forgets the flows.
 */
import { errorText } from '../../base/errors.js';
import { subtractSeconds, toMilliseconds, toSeconds, subtractTime } from '../../base/time.js';
import type { SyncRequest } from '../messages.js';
import type { EndedFlowLog } from '../statistics/endedFlowLog.js';
import type { StatisticsEngine } from '../statistics/statisticsEngine.js';
import { tableListing } from './listing.js';
import type { Outcome } from './requests.js';
import {
  cacheDetails,
  endedStatistics,
  runtimeStatistics,
  type CacheStatistics,
} from './statistics.js';

/** What the verbs work on. */
export interface ServedStatistics {
  readonly engine: Pick<StatisticsEngine, 'cache' | 'capture' | 'flushKernel' | 'ports' | 'resync'>;
  readonly log: Pick<EndedFlowLog, 'traffic'>;
}

const verbs: Readonly<Record<number, SyncRequest>> = {
  33: { verb: 'flush', cache: 'internal' },
  43: { verb: 'flushKernel', table: 'all' },
  0: { verb: 'flushKernel', table: 'conntrack' },
  44: { verb: 'resync', table: 'all' },
  1: { verb: 'resync', table: 'conntrack' },
};

/** Never rejects: what went wrong is in the outcome. */
export async function serveStatisticsRequest(
  served: ServedStatistics,
  request: SyncRequest,
): Promise<Outcome> {
  const { clock } = served.engine.ports;
  const startedAt = clock.now();
  const answer = await serve(served, request).catch((error: unknown) =>
    refusal(`${request.verb} failed: ${errorText(error)}`),
  );
  return { ...answer, durationMs: toMilliseconds(subtractTime(clock.now(), startedAt)) };
}

type Answer = Omit<Outcome, 'durationMs'>;

async function serve({ engine }: ServedStatistics, request: SyncRequest): Promise<Answer> {
  switch (request.verb) {
    case 'stats':
      return done('see the status', { internal: engine.capture.entries });
    case 'flush': {
      if (request.cache === 'external') return refusal(nothingOfAPeer);
      const entries = engine.cache.clear();
      engine.ports.logger.log('notice', 'flushed caches', { cache: 'internal', entries });
      return done(`flushed ${entries} entries`, { entries });
    }
    case 'flushKernel': {
      if (request.table === 'expect') return refusal(nothingOfAPeer);
      const entries = await engine.flushKernel();
      return done(`removed ${entries} flows from the kernel`, { entries });
    }
    case 'resync': {
      const { entries, created, updated, removed } = await engine.resync();
      engine.ports.logger.log('notice', 'resynchronised with the kernel table', { entries });
      return done(`read ${entries} flows of the kernel`, { entries, created, updated, removed });
    }
    case 'commit':
    case 'request':
    case 'bulk':
    case 'purge':
      return refusal(nothingOfAPeer);
  }
}

const nothingOfAPeer = 'this node replicates nothing: its configuration has no Sync block';

/** All but `-k` (20). */
export async function* answerStatisticsClient(
  served: ServedStatistics,
  request: number,
  startedAt: number,
): AsyncGenerator<string> {
  const verb = verbs[request];
  const format = listings[request];
  if (verb !== undefined) await serveStatisticsRequest(served, verb);
  else if (format !== undefined) yield* list(served, format);
  else yield statistics(served, request, startedAt);
}

const listings: Readonly<Record<number, 'text' | 'xml' | 'json'>> = {
  16: 'text',
  24: 'xml',
  1016: 'json',
};

async function* list(
  { engine }: ServedStatistics,
  format: 'text' | 'xml' | 'json',
): AsyncGenerator<string> {
  const { clock, turns } = engine.ports;
  for (const piece of tableListing(engine.cache.table, 'internal', format, clock)) {
    yield piece;
    await new Promise<void>((resolve) => {
      turns.next(resolve);
    });
  }
}

function statistics({ engine, log }: ServedStatistics, request: number, startedAt: number): string {
  const { table, counters } = engine.cache;
  const cache: CacheStatistics = { active: table.alive, total: table.count, counters };
  switch (request) {
    case 21:
      return endedStatistics(cache, log.traffic);
    case 29:
      return cacheDetails('stats', cache);
    case 30: {
      const now = toSeconds(engine.ports.clock.now());
      return runtimeStatistics(engine.capture, subtractSeconds(now, startedAt));
    }
    default:
      return '';
  }
}

function done(message: string, counts: Readonly<Record<string, number>>): Answer {
  return { ok: true, message, counts };
}

function refusal(message: string): Answer {
  return { ok: false, message, counts: {} };
}
