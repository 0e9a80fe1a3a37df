/**
 * What two nodes together have wrong, as far as this one knows: roles of both, and whether the
 * other could take over. Pure.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { SyncStatus } from '../../sync/messages.js';
import type { UnitRole } from '../../sync/wire/peerRoles.js';
import type { RejectionReason } from '../../vrrp/machine/advertProblems.js';
import type { InstanceSnapshot, RouterSnapshot, UnitSnapshot } from '../../vrrp/status/snapshot.js';
import { counterpart } from './peerRole.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface ClusterView {
  readonly router: RouterSnapshot;
  readonly bound: string | undefined;
  readonly maintenance: boolean;
  /** undefined: nothing is replicated, or the worker has not reported yet. */
  readonly status: SyncStatus | undefined;
  /** The peer on this link was a keepstate, now or in an earlier life of this daemon. */
  readonly peerWasKeepstate: boolean;
  /** Monotonic, and the wall clock at the same moment. */
  readonly now: Microseconds;
  readonly wallClock: Microseconds;
}

/**
 * A role that has just changed is on its way to the other node: both must have said MASTER for that
 * long.
 */
const succession = seconds(3);
/** A bulk or a resync takes moments. */
const resyncTimeout = seconds(10);
/** Longer than any takeover at the defaults. */
const masterTimeout = seconds(10);
/** The sync port was heard, and the first hellos were said several times meanwhile. */
const greetingTimeout = seconds(10);
const rejectionTimeout = seconds(3);

/**
 * Checks that another router which is MASTER fails, and which it does not fail by an accident of
 * the network.
 */
const rivals: ReadonlySet<string> = new Set<RejectionReason>([
  ...([
    'authHmac',
    'authMissing',
    'authUnknownKey',
    'authWrong',
    'clockSkew',
    'noAddress',
    'length',
    'version',
    'authenticationType',
    'password',
    'interval',
  ] as const),
  ...(['destination', 'unicastSource'] as const),
]);

export function clusterProblems(view: ClusterView): readonly Finding[] {
  return [
    ...view.router.units.flatMap((unit) => twoMasters(unit, view)),
    ...view.router.instances.flatMap((instance) => rejectedMaster(instance, view)),
    ...boundProblems(view),
    ...maintenanceProblems(view),
    ...channelProblems(view),
  ];
}

export function peerNameOf(status: SyncStatus): string {
  return status.peer.name === undefined ? 'the peer' : `the peer ${status.peer.name}`;
}

/** The peer's word for `unit`; undefined where it is unknown. */
function peerRole(
  unit: UnitSnapshot,
  { router, bound, status }: ClusterView,
): UnitRole | undefined {
  if (status?.peer.kind !== 'keepstate') return undefined;
  const vrids = router.instances.filter((one) => one.unit === unit.name).map(({ vrid }) => vrid);
  const vrid = vrids.length === 0 ? undefined : Math.min(...vrids);
  return counterpart({ name: unit.name, vrid, isBound: unit.name === bound }, status.peer.roles);
}

function twoMasters(unit: UnitSnapshot, view: ClusterView): readonly Finding[] {
  const { status, now, wallClock } = view;
  const role = peerRole(unit, view);
  if (unit.state !== 'MASTER' || role?.state !== 'MASTER' || status === undefined) return [];
  // Its word must be younger than both roles: the last one of a node that has died says MASTER for
  // a while.
  const { rolesAt } = status.peer;
  const ownSince = unit.since - subtractTime(wallClock, now);
  const newest = Math.max(ownSince, role.since);
  if (rolesAt === undefined || rolesAt - newest < succession) return [];
  const text = `${unit.name}: this node and ${peerNameOf(status)} are both MASTER, as it says itself`;
  return [problem('two-masters', text, { subject: unit.name })];
}

function rejectedMaster(
  instance: InstanceSnapshot,
  { wallClock }: ClusterView,
): readonly Finding[] {
  if (instance.state !== 'MASTER') return [];
  const timeout = 3.5 * instance.masterAdvertInterval + 500_000;
  const heard = instance.problems.find(
    ({ reason, lastSeen }) =>
      rivals.has(reason) && lastSeen !== undefined && subtractTime(wallClock, lastSeen) <= timeout,
  );
  if (heard === undefined) return [];
  const { name } = instance;
  const text = `${name}: another router is heard as MASTER and rejected: ${heard.text}`;
  const after = rejectionTimeout;
  return [problem('master-rejected', text, { subject: name, remedy: heard.remedy, after })];
}

function boundProblems(view: ClusterView): readonly Finding[] {
  const unit = view.router.units.find(({ name }) => name === view.bound);
  const { status } = view;
  if (unit === undefined || status === undefined) return [];
  return unit.state === 'MASTER' ? noStandby(unit, status, view) : noMaster(unit, status, view);
}

function noStandby(unit: UnitSnapshot, status: SyncStatus, view: ClusterView): readonly Finding[] {
  const peer = peerNameOf(status);
  const found = (why: string, after?: Microseconds): readonly Finding[] => [
    problem('no-standby', `${unit.name}: nobody could replace this MASTER: ${why}`, {
      ...{ subject: unit.name, ...(after === undefined ? {} : { after }) },
    }),
  ];
  if (status.state === 'peer-lost') return found(`${peer} is absent`);
  if (status.peer.inMaintenance === true) return found(`${peer} is in maintenance`);
  const role = peerRole(unit, view);
  if (role?.state === 'FAULT') return found(`${peer} is in FAULT`);
  if (status.state !== 'synchronised') return found(`${peer} is not synchronised`, resyncTimeout);
  return [];
}

/** Known only where the peer says its role, and no advertisement of a third router came. */
function noMaster(unit: UnitSnapshot, status: SyncStatus, view: ClusterView): readonly Finding[] {
  const role = peerRole(unit, view);
  if (role === undefined || role.state === 'MASTER') return [];
  const members = view.router.instances.filter((one) => one.unit === unit.name);
  const interval = Math.max(0, ...members.map((one) => one.masterAdvertInterval));
  const hears = members.some(
    ({ master }) =>
      master !== undefined && subtractTime(view.wallClock, master.lastHeard) < 4 * interval,
  );
  if (hears) return [];
  const [mine, other] = [stateText(unit.state, view.maintenance), peerNameOf(status)];
  const theirs = stateText(role.state, status.peer.inMaintenance === true);
  const text = `${unit.name}: nobody is MASTER: this node is ${mine}, ${other} is ${theirs}`;
  const after = Math.max(masterTimeout, 5 * interval) as Microseconds;
  return [problem('no-master', text, { subject: unit.name, after })];
}

function stateText(state: string, isInMaintenance: boolean): string {
  return isInMaintenance ? `${state} (in maintenance)` : state;
}

function maintenanceProblems({ maintenance, router }: ClusterView): readonly Finding[] {
  if (!maintenance) return [];
  const masters = router.units.filter(({ state }) => state === 'MASTER').map(({ name }) => name);
  const text =
    masters.length === 0
      ? 'this node is in maintenance: it never takes the role'
      : `this node is in maintenance and still MASTER of ${masters.join(', ')}`;
  return [problem('maintenance', text)];
}

/** Both ports lead to one peer: one of them is blocked, or the program there is another one now. */
function channelProblems({ status, peerWasKeepstate }: ClusterView): readonly Finding[] {
  if (status?.peer.kind !== 'conntrackd' || !peerWasKeepstate) return [];
  const text =
    'the peer answers on the sync port but not on peer_port: the port is blocked, or a conntrackd runs there now';
  return [problem('peer-channel-silent', text, { after: greetingTimeout })];
}
