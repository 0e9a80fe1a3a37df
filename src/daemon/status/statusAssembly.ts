/**
 * Puts the answer to `status` together from the router's snapshot, the worker's report and the
 * coordinator. Pure.
 */
import {
  addTime,
  microseconds,
  subtractTime,
  toMilliseconds,
  type Microseconds,
} from '../../base/time.js';
import type {
  GroupStatus,
  InstanceStatus,
  LatenessStatus,
  RoleState,
  StatusAnswer,
  SyncStatusAnswer,
} from '../../control/statusAnswer.js';
import type { SyncStatus } from '../../sync/messages.js';
import type { NodeRoles } from '../../sync/wire/peerRoles.js';
import type { InstanceSnapshot, RouterSnapshot, UnitSnapshot } from '../../vrrp/status/snapshot.js';
import { clusterProblems } from './clusterProblems.js';
import { isoTime } from '../../base/isoTime.js';
import { roleOf } from './peerRole.js';
import type { ShownProblems } from './problemLog.js';
import type { Finding } from '../problemTable/table.js';
import {
  foreignAddresses,
  instanceProblems,
  latenessProblems,
  syncProblems,
  type SyncView,
} from './problems.js';

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
  readonly further: readonly Finding[];
  /** The peer was a keepstate, now or in an earlier life of this daemon. */
  readonly peerWasKeepstate: boolean;
}

/** Everything that is wrong now; the problem log makes beginnings and ends of it. */
export function findProblems(source: StatusSource): readonly Finding[] {
  const { router, sync, lateness, further, now, wallClock } = source;
  return [
    // What was heard of another MASTER is more precise than what the peer says of itself.
    ...further,
    ...clusterProblems({ ...source, status: sync?.status, now, wallClock }),
    ...router.instances.flatMap((instance) => instanceProblems(instance, wallClock)),
    ...foreignAddresses(router.instances),
    ...(sync === undefined ? [] : syncProblems(sync, now)),
    ...latenessProblems(lateness.maxMs),
  ];
}

/** `shown`: what the problem log makes of all that was found. */
export function assembleStatus(source: StatusSource, shown: ShownProblems): StatusAnswer {
  const { router, sync, lateness } = source;
  const bound = router.units.find((unit) => unit.name === source.bound);
  const role = bound ?? summary(router.units, source.startedAt);
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
    ...shown,
  };
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
    parity,
    ...(status.parityBecause === undefined ? {} : { parityBecause: status.parityBecause }),
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
  const at = workerTime(source, lastCommit.at);
  return { lastCommit: { entries, failed, durationMs, at, cancelled, tableFull } };
}

/** The worker's monotonic time as the wall clock's. */
function workerTime(source: StatusSource, at: Microseconds): string {
  return isoTime(addTime(at, microseconds(source.wallClock - source.now)));
}

function rolesStatus(
  source: StatusSource,
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

function peerStatus(source: StatusSource, { peer }: SyncStatus): SyncStatusAnswer['peer'] {
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
