/** conntrackd's client verbs, each with a count and a duration for the one who asked. */
import { toMilliseconds, subtractTime } from '../../base/time.js';
import { KernelError } from '../../base/errors.js';
import { ExpectationInjector } from '../../conntrack/kernel/expectationInjector.js';
import { errorText } from '../../base/errors.js';
import type { Engine } from '../engine/engine.js';
import type { CommitSummary, SyncRequest } from '../messages.js';
import type { NodeRole } from '../role/nodeRole.js';
import { tableIsFull } from '../role/commitWork.js';

export interface Outcome {
  readonly ok: boolean;
  readonly message: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

type Answer = Omit<Outcome, 'durationMs'>;

/** What the verbs work on. */
export interface Served {
  readonly engine: Pick<
    Engine,
    | 'check'
    | 'external'
    | 'externalEmptied'
    | 'externalMode'
    | 'feed'
    | 'internal'
    | 'ports'
    | 'replicator'
  >;
  readonly role: Pick<NodeRole, 'commits' | 'flushKernel' | 'input' | 'state'>;
}

type Verbs = {
  readonly [Verb in SyncRequest['verb']]: (
    served: Served,
    request: Extract<SyncRequest, { verb: Verb }>,
  ) => Answer | Promise<Answer>;
};

const verbs: Verbs = {
  commit: (served, { table }) => commit(served, table),
  flush: (served, { cache }) => flush(served, cache),
  flushKernel: (served, { table }) => flushKernel(served, table),
  resync,
  request: requestResync,
  bulk,
  purge: ({ role }) => {
    role.input({ kind: 'purgeAsked' });
    return done('purge of the kernel table scheduled');
  },
  stats: ({ engine }) =>
    done('see the status', {
      internal: engine.internal.table.alive,
      external: engine.external.table.alive,
    }),
};

/** Never rejects: what went wrong is in the outcome. */
export async function serveRequest(served: Served, request: SyncRequest): Promise<Outcome> {
  const { clock } = served.engine.ports;
  const startedAt = clock.now();
  const answer = await serve(served, request).catch((error: unknown) =>
    refusal(`${request.verb} failed: ${errorText(error)}`),
  );
  return { ...answer, durationMs: toMilliseconds(subtractTime(clock.now(), startedAt)) };
}

async function serve(served: Served, request: SyncRequest): Promise<Answer> {
  // The table's type pairs each verb with its request.
  const handle = verbs[request.verb] as (
    served: Served,
    request: SyncRequest,
  ) => Answer | Promise<Answer>;
  return handle(served, request);
}

async function commit(
  { engine, role }: Served,
  table: 'conntrack' | 'expect' | 'all',
): Promise<Answer> {
  if (engine.externalMode.committable === undefined) {
    return done('nothing to commit: the flows of the peer are in the kernel already');
  }
  if (role.commits.isRunning) return refusal('a commit is already in progress');
  role.input({ kind: 'purgeForgotten' });
  const { logger } = engine.ports;
  logger.log('notice', 'committing external caches', { table });
  const summary = await role.commits.commit({
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

function flush({ engine, role }: Served, cache: 'internal' | 'external' | 'all'): Answer {
  if (role.commits.isRunning) return refusal('a commit is in progress: flush refused');
  // conntrackd 1.4.7 empties the kernel here, and with it every connection.
  if (cache === 'internal' && engine.internal.fullTable === undefined) {
    return refusal(
      'DisableInternalCache is on: there is no internal cache to flush, and the kernel is left alone',
    );
  }
  const flushed = cache === 'external' ? undefined : engine.internal.fullTable;
  const entries = (flushed?.alive ?? 0) + (cache === 'internal' ? 0 : engine.external.table.alive);
  const withExpectations = cache === 'all';
  if (cache === 'all') role.input({ kind: 'purgeForgotten' });
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

async function flushKernel(
  { engine, role }: Served,
  table: 'conntrack' | 'expect' | 'all',
): Promise<Answer> {
  if (table !== 'conntrack') flushKernelExpectations(engine);
  if (table === 'expect') return done('removed all expectations from the kernel');
  const removed = await role.flushKernel('flushed the kernel table');
  return done(`removed ${removed} flows from the kernel`, { entries: removed });
}

/** All of them, as conntrackd: its filter knows no expectations. */
function flushKernelExpectations(engine: Served['engine']): void {
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

async function resync({ engine, role }: Served): Promise<Answer> {
  if (engine.internal.fullTable === undefined) {
    return refusal(
      'DisableInternalCache is on: there is no internal cache to fill; "sync bulk" reads the kernel for the peer',
    );
  }
  if (role.state.stance === 'committingAhead') {
    return refusal(
      'a takeover is being prepared: the kernel holds flows of the peer; try again in half a minute',
    );
  }
  const result = await engine.feed.resync();
  const { entries, created, updated, removed } = result;
  engine.ports.logger.log('notice', 'resynchronised with the kernel table', { entries });
  return done(`read ${entries} flows of the kernel`, { entries, created, updated, removed });
}

function requestResync({ engine }: Served): Answer {
  if (!engine.replicator.askResync(engine.ports.clock.now(), 'requested')) {
    return refusal('ALARM has no resync: the peer repeats its table by itself');
  }
  return done('asked the peer for its table');
}

function bulk({ engine }: Served): Answer {
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
