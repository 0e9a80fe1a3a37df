/** conntrackd's client verbs, each with a count and a duration for the one who asked. */
import { toMilliseconds, subtractTime } from '../../base/time.js';
import { KernelError, errorText } from '../../base/errors.js';
import { ExpectationInjector } from '../../conntrack/kernel/expectationInjector.js';
import type { Engine } from '../engine/engine.js';
import type { CommitSummary, SyncRequest } from '../messages.js';
import { tableIsFull } from '../role/commitWork.js';

export interface Outcome {
  readonly ok: boolean;
  readonly message: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

type Answer = Omit<Outcome, 'durationMs'>;

/** Never rejects: what went wrong is in the outcome. */
export async function serveRequest(engine: Engine, request: SyncRequest): Promise<Outcome> {
  const { clock } = engine.ports;
  const startedAt = clock.now();
  const answer = await serve(engine, request).catch((error: unknown) =>
    refusal(`${request.verb} failed: ${errorText(error)}`),
  );
  return { ...answer, durationMs: toMilliseconds(subtractTime(clock.now(), startedAt)) };
}

async function serve(engine: Engine, request: SyncRequest): Promise<Answer> {
  switch (request.verb) {
    case 'commit':
      return commit(engine, request.table);
    case 'flush':
      return flush(engine, request.cache);
    case 'flushKernel':
      return flushKernel(engine, request.table);
    case 'resync':
      return resync(engine);
    case 'request':
      return requestResync(engine);
    case 'bulk':
      return bulk(engine);
    case 'purge':
      engine.purge.schedule(engine.settings.purgeTimeout, false);
      return done('purge of the kernel table scheduled');
    case 'stats':
      return done('see the status', {
        internal: engine.internal.table.alive,
        external: engine.external.table.alive,
      });
  }
}

async function commit(engine: Engine, table: 'conntrack' | 'expect' | 'all'): Promise<Answer> {
  if (engine.externalMode.committable === undefined) {
    return done('nothing to commit: the flows of the peer are in the kernel already');
  }
  if (engine.commits.isRunning) return refusal('a commit is already in progress');
  engine.purge.cancel();
  const { logger } = engine.ports;
  logger.log('notice', 'committing external caches', { table });
  const summary = await engine.commits.commit({
    table,
    onExisting: 'replace',
    onProgress: () => undefined,
  });
  const { entries, failed, untried, expectations, expectationsFailed, durationMs } = summary;
  const counts = {
    ...{ entries, failed, expectations },
    ...(summary.tableFull ? { untried } : {}),
    ...(expectationsFailed > 0 ? { expectationsFailed } : {}),
  };
  logger.log('notice', 'committed', { ...counts, milliseconds: durationMs });
  return {
    ok: !summary.cancelled && !summary.tableFull,
    message: commitText(summary),
    counts,
  };
}

export function commitText({
  entries,
  failed,
  cancelled,
  tableFull,
  untried,
}: CommitSummary): string {
  if (cancelled) return `commit cancelled after ${entries} entries`;
  const text = `committed ${entries} entries, ${failed} failed`;
  return tableFull ? `${text}, of which ${untried} untried: ${tableIsFull}` : text;
}

function flush(engine: Engine, cache: 'internal' | 'external' | 'all'): Answer {
  if (engine.commits.isRunning) return refusal('a commit is in progress: flush refused');
  // conntrackd 1.4.7 empties the kernel here, and with it every connection.
  if (cache === 'internal' && engine.internal.fullTable === undefined) {
    return refusal(
      'DisableInternalCache is on: there is no internal cache to flush, and the kernel is left alone',
    );
  }
  const flushed = cache === 'external' ? undefined : engine.internal.fullTable;
  const entries = (flushed?.alive ?? 0) + (cache === 'internal' ? 0 : engine.external.table.alive);
  const withExpectations = cache === 'all';
  if (cache === 'all') engine.purge.cancel();
  if (flushed !== undefined) {
    engine.internal.clear(withExpectations);
    engine.check.emptied();
  }
  if (cache !== 'internal') {
    engine.external.clear(withExpectations);
    engine.externalEmptied();
  }
  engine.ports.logger.log('notice', 'flushed caches', { cache, entries });
  return done(`flushed ${entries} entries`, { entries });
}

async function flushKernel(engine: Engine, table: 'conntrack' | 'expect' | 'all'): Promise<Answer> {
  if (table !== 'conntrack') flushKernelExpectations(engine);
  if (table === 'expect') return done('removed all expectations from the kernel');
  const removed = await engine.purge.run('flushed the kernel table');
  return done(`removed ${removed} flows from the kernel`, { entries: removed });
}

/** All of them, as conntrackd: its filter knows no expectations. */
function flushKernelExpectations(engine: Engine): void {
  const writer = new ExpectationInjector();
  const closed = engine.feed.addOwn(writer.portId);
  try {
    const errno = writer.flush();
    if (errno !== 0) throw new KernelError('flush expectations', errno, `errno ${errno}`);
  } finally {
    writer.close();
    closed();
  }
}

async function resync(engine: Engine): Promise<Answer> {
  if (engine.internal.fullTable === undefined) {
    return refusal(
      'DisableInternalCache is on: there is no internal cache to fill; "sync bulk" reads the kernel for the peer',
    );
  }
  if (engine.internal.ignoresOwn) {
    return refusal(
      'a takeover is being prepared: the kernel holds flows of the peer; try again in half a minute',
    );
  }
  const result = await engine.feed.resync();
  const { entries, created, updated, removed } = result;
  engine.ports.logger.log('notice', 'resynchronised with the kernel table', { entries });
  return done(`read ${entries} flows of the kernel`, { entries, created, updated, removed });
}

function requestResync(engine: Engine): Answer {
  if (!engine.replicator.askResync(engine.ports.clock.now(), 'requested')) {
    return refusal('ALARM has no resync: the peer repeats its table by itself');
  }
  return done('asked the peer for its table');
}

function bulk(engine: Engine): Answer {
  engine.replicator.startBulk('requested');
  const { fullTable } = engine.internal;
  if (fullTable === undefined) return done('sending what the kernel holds');
  const entries = fullTable.alive;
  return done(`sending ${entries} entries`, { entries });
}

function done(message: string, counts: Readonly<Record<string, number>> = {}): Answer {
  return { ok: true, message, counts };
}

function refusal(message: string): Answer {
  return { ok: false, message, counts: {} };
}
