/** The sync engine's part of the answer to `status`, from the worker's report. Pure. */
import {
  addTime,
  microseconds,
  subtractTime,
  toMilliseconds,
  type Microseconds,
} from '../../base/time.js';
import { isoTime } from '../../base/isoTime.js';
import type { LatenessStatus, SyncStatusAnswer } from '../../control/statusAnswer.js';
import type { SyncStatus } from '../../sync/messages.js';
import type { NodeRoles } from '../../sync/wire/peerRoles.js';
import { roleOf } from './peerRole.js';
import type { SyncView } from './problems.js';
import { sealAnswer } from './sealAnswer.js';

/** The moment of the answer, by both clocks. */
export interface AnswerTimes {
  readonly now: Microseconds;
  readonly wallClock: Microseconds;
}

export type SyncSource = SyncView & {
  readonly restarts: number;
  readonly listingPath: string;
  readonly mode: string;
};

const noEntries = { entries: 0, limit: 0 };
const noLateness: LatenessStatus = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

export function syncStatus(source: AnswerTimes, sync: SyncSource): SyncStatusAnswer {
  const { status, restarts, listingPath } = sync;
  if (status === undefined) {
    return {
      state: sync.downBecause === undefined ? 'starting' : 'down',
      mode: sync.mode,
      internal: noEntries,
      external: noEntries,
      parity: 'unknown',
      commitInProgress: false,
      overruns: 0,
      resyncs: 0,
      netlinkBufferBytes: 0,
      peer: {
        kind: 'none',
        role: 'unknown',
        lost: 0,
        malformed: 0,
        strangers: 0,
        unknownAttributes: 0,
      },
      links: [],
      queues: { transmit: 0, resend: 0, resendLimit: 0, resendDropped: 0 },
      events: { received: 0, filtered: 0, own: 0, malformed: 0, unknownAttributes: 0 },
      worker: { restarts, lateness: noLateness, tableBytes: 0 },
      listingPath,
    };
  }
  const { state, mode, parity, commitInProgress, overruns, resyncs, netlinkBufferBytes } = status;
  return {
    state,
    ...(status.at === undefined ? {} : { ageMs: agoMs(source.now, status.at) }),
    mode,
    internal: {
      entries: status.internal.entries,
      limit: status.internal.limit,
      ...(status.internal.isBypassed === true ? { bypassed: true } : {}),
    },
    external: { entries: status.external.entries, limit: status.external.limit },
    ...kernelStatus(status),
    ...sealAnswer(status, source.now),
    parity,
    ...(status.parityBecause === undefined ? {} : { parityBecause: status.parityBecause }),
    ...parityTimes(source, status),
    commitInProgress,
    ...commitStatus(source, status),
    ...(status.purgeDue === undefined
      ? {}
      : { purgeInMs: Math.max(0, toMilliseconds(subtractTime(status.purgeDue, source.now))) }),
    ...(status.purge === undefined ? {} : { purge: status.purge }),
    ...(status.adopted === undefined ? {} : { adopted: status.adopted }),
    overruns,
    resyncs,
    netlinkBufferBytes,
    peer: peerStatus(source, status),
    links: status.links.map(
      ({ interfaceName, isActive, isUsable, isSending, isReceiving, ...counters }) => ({
        interface: interfaceName,
        active: isActive,
        usable: isUsable,
        ...(isSending === undefined ? {} : { sending: isSending }),
        ...(isReceiving === undefined ? {} : { receiving: isReceiving }),
        ...counters,
      }),
    ),
    queues: queueStatus(status),
    events: status.events,
    worker: { restarts, lateness: status.lateness, tableBytes: status.memoryBytes.tables },
    listingPath,
  };
}

function parityTimes(
  source: AnswerTimes,
  { parityComparedAt: compared, parityEqualSince: since }: SyncStatus,
): Pick<SyncStatusAnswer, 'parityEqualSince' | 'parityComparedAgoMs'> {
  return {
    ...(since === undefined ? {} : { parityEqualSince: workerTime(source, since) }),
    ...(compared === undefined ? {} : { parityComparedAgoMs: agoMs(source.now, compared) }),
  };
}

function queueStatus({ queues }: SyncStatus): SyncStatusAnswer['queues'] {
  const { oldestUnacknowledged: oldest, ...counts } = queues;
  return {
    ...counts,
    ...(oldest === undefined ? {} : { oldestUnacknowledgedMs: toMilliseconds(oldest) }),
  };
}

function kernelStatus({ kernel }: SyncStatus): Pick<SyncStatusAnswer, 'kernel'> {
  if (kernel === undefined) return {};
  const { flows, ignored } = kernel;
  return {
    kernel: {
      ...(flows === undefined ? {} : { flows }),
      ...(ignored === undefined ? {} : { ignored }),
    },
  };
}

function commitStatus(
  source: AnswerTimes,
  { lastCommit }: SyncStatus,
): Pick<SyncStatusAnswer, 'lastCommit'> {
  if (lastCommit === undefined) return {};
  const { entries, failed, durationMs, cancelled, tableFull } = lastCommit;
  const at = workerTime(source, lastCommit.at);
  return { lastCommit: { entries, failed, durationMs, at, cancelled, tableFull } };
}

/** The worker's monotonic time as the wall clock's. */
function workerTime(source: AnswerTimes, at: Microseconds): string {
  return isoTime(addTime(at, microseconds(source.wallClock - source.now)));
}

function rolesStatus(
  source: AnswerTimes,
  roles: NodeRoles | undefined,
): Pick<SyncStatusAnswer['peer'], 'role' | 'roleSince' | 'units' | 'unitsOmitted'> {
  if (roles === undefined) return { role: 'unknown' };
  const role = roleOf(roles);
  return {
    role: role?.state ?? 'unknown',
    ...(role === undefined ? {} : { roleSince: workerTime(source, role.since) }),
    units: roles.units.map(({ since, ...unit }) => ({
      ...unit,
      since: workerTime(source, since),
    })),
    ...(roles.more === undefined ? {} : { unitsOmitted: roles.more }),
  };
}

function peerStatus(source: AnswerTimes, { peer }: SyncStatus): SyncStatusAnswer['peer'] {
  const { kind, name, version, lastHeard, lost, malformed, strangers, lastStranger } = peer;
  return {
    kind,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(peer.inMaintenance === true ? { maintenance: true } : {}),
    ...(peer.holds === undefined ? {} : { holds: peer.holds }),
    ...rolesStatus(source, peer.roles),
    ...(lastHeard === undefined ? {} : { heardAgoMs: agoMs(source.now, lastHeard) }),
    lost,
    malformed,
    strangers,
    ...(lastStranger === undefined ? {} : { lastStranger }),
    ...refusedStatus(source, peer),
    unknownAttributes: peer.unknownAttributes,
  };
}

function refusedStatus(
  source: AnswerTimes,
  { refusedBy, refused, channelRefused }: SyncStatus['peer'],
): Pick<SyncStatusAnswer['peer'], 'refusedBy' | 'refused' | 'channelRefused'> {
  const listed = refused?.map(({ address, reason, door, interfaceName, count, last }) => ({
    ...{ address, reason, port: door, interface: interfaceName, count },
    agoMs: agoMs(source.now, last),
  }));
  return {
    ...(refusedBy === undefined ? {} : { refusedBy }),
    ...(listed === undefined ? {} : { refused: listed }),
    ...(channelRefused === undefined ? {} : { channelRefused }),
  };
}

/** Milliseconds, and none that are negative. */
export function agoMs(now: Microseconds, then: Microseconds): number {
  return Math.max(0, Math.round(toMilliseconds(subtractTime(now, then))));
}
