/**
 * Puts the answer to `status` together from the router's snapshot, the worker's report and the
 * coordinator. Pure.
 */
import type { Microseconds } from '../../base/time.js';
import type {
  GroupStatus,
  InstanceStatus,
  LatenessStatus,
  RoleState,
  StatusAnswer,
} from '../../control/statusAnswer.js';
import type { InstanceSnapshot, RouterSnapshot, UnitSnapshot } from '../../vrrp/status/snapshot.js';
import { clusterProblems } from './clusterProblems.js';
import { isoTime } from '../../base/isoTime.js';
import type { ShownProblems } from './problemLog.js';
import { statisticsProblems, statisticsStatus, type StatisticsView } from './statistics.js';
import type { Finding } from '../problemTable/table.js';
import { agoMs, syncStatus, type SyncSource } from './syncAnswer.js';
import { targetProblems, targetsStatus, type ShownTargets } from './targetStatus.js';
import { foreignAddresses, instanceProblems, latenessProblems, syncProblems } from './problems.js';

export interface StatusSource extends Pick<StatusAnswer, 'alerts'> {
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
  readonly sync: SyncSource | undefined;
  readonly statistics: StatisticsView | undefined;
  readonly lateness: LatenessStatus;
  readonly rssBytes: number;
  /** Problems that others found. */
  readonly further: readonly Finding[];
  /** The peer was a keepstate, now or in an earlier life of this daemon. */
  readonly peerWasKeepstate: boolean;
  /** Absent where nobody asks targets. */
  readonly targets?: ShownTargets | undefined;
}

/** Everything that is wrong now; the problem log makes beginnings and ends of it. */
export function findProblems(source: StatusSource): readonly Finding[] {
  const { router, sync, statistics, lateness, further, now, wallClock } = source;
  return [
    // What was heard of another MASTER is more precise than what the peer says of itself.
    ...further,
    ...clusterProblems({ ...source, status: sync?.status, now, wallClock }),
    ...router.instances.flatMap((instance) => instanceProblems(instance, wallClock)),
    ...foreignAddresses(router.instances),
    ...(sync === undefined ? [] : syncProblems(sync, now)),
    ...(statistics === undefined ? [] : statisticsProblems(statistics, now)),
    ...latenessProblems(lateness.maxMs),
    ...targetProblems(targetsStatus(source.targets, now, wallClock)),
  ];
}

/** `shown`: what the problem log makes of all that was found. */
export function assembleStatus(source: StatusSource, shown: ShownProblems): StatusAnswer {
  const { router, sync, statistics, lateness } = source;
  const bound = router.units.find((unit) => unit.name === source.bound);
  const role = bound ?? summary(router.units, source.startedAt);
  const targets = targetsStatus(source.targets, source.now, source.wallClock);
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
    ...(statistics === undefined ? {} : { statistics: statisticsStatus(statistics, source.now) }),
    scripts: router.scripts.map(({ name, verdict, lastEnd, isRunning }) => ({
      ...{ name, lastEnd },
      state: verdict,
      running: isRunning,
    })),
    ...(targets === undefined ? {} : { targets }),
    ...(source.alerts === undefined ? {} : { alerts: source.alerts }),
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
    ...hmacStatus(instance),
  };
}

function hmacStatus({ hmac }: InstanceSnapshot): Pick<InstanceStatus, 'hmac'> {
  if (hmac === undefined) return {};
  const { mode, activeKeyId, keys } = hmac;
  return { hmac: { mode, activeKey: activeKeyId, keys } };
}

/** `10.0.0.1/24 dev eth0 ...` */
function deviceOf(text: string): string | undefined {
  return /\sdev\s+(\S+)/.exec(text)?.[1];
}
