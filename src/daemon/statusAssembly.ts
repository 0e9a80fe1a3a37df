/** Puts the answer to `status` together from the router's snapshot, the worker's report and the coordinator. Pure. */
import {
  addTime,
  microseconds,
  subtractTime,
  toMilliseconds,
  type Microseconds,
} from '../base/time.js';
import type {
  GroupStatus,
  InstanceStatus,
  LatenessStatus,
  Problem,
  RoleState,
  StatusAnswer,
  SyncStatusAnswer,
} from '../control/status.js';
import type { SyncStatus } from '../sync/messages.js';
import type { InstanceSnapshot, RouterSnapshot, UnitSnapshot } from '../vrrp/snapshot.js';
import { instanceProblems, latenessProblems, syncProblems, type SyncView } from './problems.js';

export interface StatusSource {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly configFile: string;
  readonly startedAt: Microseconds;
  readonly now: Microseconds;
  readonly wallClock: Microseconds;
  readonly router: RouterSnapshot;
  readonly bound: string | undefined;
  readonly phase: string;
  readonly maintenance: boolean;
  readonly sync:
    | (SyncView & {
        readonly restarts: number;
        readonly listingPath: string;
        readonly mode: string;
      })
    | undefined;
  readonly lateness: LatenessStatus;
  readonly rssBytes: number;
  /** Problems that others found. */
  readonly further: readonly Problem[];
}

export function assembleStatus(source: StatusSource): StatusAnswer {
  const { router, sync, lateness } = source;
  const bound = router.units.find((unit) => unit.name === source.bound);
  const role = bound ?? summary(router.units, source.startedAt);
  const problems = [
    ...router.instances.flatMap((instance) => instanceProblems(instance, source.wallClock)),
    ...(sync === undefined ? [] : syncProblems(sync, source.now)),
    ...latenessProblems(lateness.maxMs),
    ...source.further,
  ];
  return {
    version: source.version,
    node: source.node,
    pid: source.pid,
    startedAt: isoTime(source.startedAt),
    configFile: source.configFile,
    role: role.state,
    since: isoTime(role.since),
    reason: role.reason,
    ...(source.bound === undefined ? {} : { bound: source.bound }),
    phase: source.phase,
    maintenance: source.maintenance,
    preemptionHeld: router.units.some((unit) => unit.preemption === 'held'),
    groups: router.units.filter((unit) => unit.isGroup).map(groupStatus),
    instances: router.instances.map((instance) => instanceStatus(instance, source)),
    ...(sync === undefined ? {} : { sync: syncStatus(source, sync) }),
    lateness,
    rssBytes: source.rssBytes,
    problems,
  };
}

/** ISO 8601 in UTC of microseconds since 1970. */
export function isoTime(wallClock: Microseconds): string {
  return new Date(toMilliseconds(wallClock)).toISOString();
}

const severityOrder: readonly RoleState[] = ['FAULT', 'INIT', 'BACKUP', 'MASTER'];

/** Nothing is bound: the worst state that any unit has, and when it was entered. */
function summary(
  units: readonly UnitSnapshot[],
  startedAt: Microseconds,
): { state: RoleState; since: Microseconds; reason: string } {
  const sorted = [...units].sort(
    (a, b) => severityOrder.indexOf(a.state) - severityOrder.indexOf(b.state),
  );
  return sorted[0] ?? { state: 'INIT', since: startedAt, reason: 'no instance is configured' };
}

function groupStatus(unit: UnitSnapshot): GroupStatus {
  const { name, state, members, reason } = unit;
  return { name, state, since: isoTime(unit.since), reason, members };
}

function instanceStatus(instance: InstanceSnapshot, source: StatusSource): InstanceStatus {
  const { name, state, reason, vrid, version, family, priority, effectivePriority } = instance;
  const unit = source.router.units.find((one) => one.name === instance.unit);
  const { master } = instance;
  return {
    name,
    ...(unit?.isGroup === true ? { group: unit.name } : {}),
    state,
    since: isoTime(instance.since),
    reason,
    interface: instance.interface,
    vrid,
    version,
    family,
    priority,
    effectivePriority,
    vips: instance.vips.map((vip) => ({
      address: vip.text.split(' ')[0] ?? vip.text,
      present: vip.isPresent,
      interface: deviceOf(vip.text) ?? instance.interface,
    })),
    ...(master === undefined
      ? {}
      : {
          peer: {
            address: master.address,
            priority: master.priority,
            heardAgoMs: agoMs(source.wallClock, master.lastHeard),
          },
        }),
    faults: instance.faults,
    counters: { ...instance.counters },
  };
}

/** `10.0.0.1/24 dev eth0 ...` */
function deviceOf(text: string): string | undefined {
  return /\sdev\s+(\S+)/.exec(text)?.[1];
}

function agoMs(now: Microseconds, then: Microseconds): number {
  return Math.max(0, Math.round(toMilliseconds(subtractTime(now, then))));
}

const noEntries = { entries: 0, limit: 0 };
const noLateness: LatenessStatus = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

function syncStatus(
  source: StatusSource,
  sync: NonNullable<StatusSource['sync']>,
): SyncStatusAnswer {
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
      peer: { kind: 'none', lost: 0, malformed: 0, strangers: 0, unknownAttributes: 0 },
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
    parity,
    ...(status.parityBecause === undefined ? {} : { parityBecause: status.parityBecause }),
    commitInProgress,
    ...commitStatus(source, status),
    ...(status.purgeDue === undefined
      ? {}
      : { purgeInMs: Math.max(0, toMilliseconds(subtractTime(status.purgeDue, source.now))) }),
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
    queues: status.queues,
    events: status.events,
    worker: { restarts, lateness: status.lateness, tableBytes: status.memoryBytes.tables },
    listingPath,
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
  source: StatusSource,
  { lastCommit }: SyncStatus,
): Pick<SyncStatusAnswer, 'lastCommit'> {
  if (lastCommit === undefined) return {};
  const { entries, failed, durationMs, cancelled, tableFull } = lastCommit;
  // The worker tells monotonic time.
  const offset = microseconds(source.wallClock - source.now);
  const at = isoTime(addTime(lastCommit.at, offset));
  return { lastCommit: { entries, failed, durationMs, at, cancelled, tableFull } };
}

function peerStatus(source: StatusSource, { peer }: SyncStatus): SyncStatusAnswer['peer'] {
  const { kind, name, version, lastHeard, lost, malformed, strangers, lastStranger } = peer;
  return {
    kind,
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(peer.inMaintenance === true ? { maintenance: true } : {}),
    ...(peer.holds === undefined ? {} : { holds: peer.holds }),
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
  source: StatusSource,
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
