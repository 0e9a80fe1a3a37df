/**
 * How the members of a unit change role together (keepalived 2.2.7's sync groups): MASTER only when
 * each member's own master is silent, BACKUP and FAULT as soon as one of them is. The member that
 * caused it goes first, the others follow in configured order, the group's notification is last. A
 * lone instance is a group of one.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { addTime, subtractTime } from '../../base/time.js';
import type { NotifiedState, StateName, UnitAction } from './actions.js';
import { waitFurther } from './instance.js';
import { isOwner } from './priority.js';
import { followText, joinText, memberText, takeoverText } from './reasons.js';
import { enterBackup, enterFault, enterMaster, enterStop, sendAdvert, showVips } from './roles.js';
import { masterDownTime } from './timing.js';
import { act, allMembers, findMember, type MemberDraft, type StepDraft } from './draft.js';

/** This member's master is silent. */
export function considerTakeover(member: MemberDraft): void {
  const { step, instance } = member;
  const { unit } = step;
  if (instance.state !== 'BACKUP') return;
  if (unit.inMaintenance) {
    waitFurther(member);
    return;
  }
  instance.wantsMaster = true;
  // A member that has just joined, and still waits in INIT, does not keep the others.
  const members = allMembers(step, member).filter((each) => each.instance.state !== 'INIT');
  // The quicker member waits for the slower one and listens on.
  if (!members.every((each) => each.instance.wantsMaster)) {
    waitFurther(member);
    return;
  }
  const mustAsk = step.settings.commitBeforePreempt && unit.preemption !== 'granted';
  const weaker = mustAsk ? findLivingLowerPriority(members) : undefined;
  if (weaker?.instance.weakerMaster !== undefined) {
    waitFurther(member);
    askPreemption(step, weaker.instance.weakerMaster.address);
    return;
  }
  if (unit.preemption === 'asked') withdrawPreemption(step, 'the old master is gone');
  takeOver(step, members, takeoverText(member));
}

export interface TakeoverOptions {
  /** After a crash, with the VIPs still in place. */
  readonly isResumed?: boolean;
  /** What the VIPs would wait for was done before. */
  readonly vipsReady?: boolean;
}

/**
 * All members become MASTER, in the order of `seats`. Their advertisements never wait for anything.
 */
export function takeOver(
  step: StepDraft,
  members: readonly MemberDraft[],
  because: string,
  options: TakeoverOptions = {},
): void {
  const { unit, settings } = step;
  const isResumed = options.isResumed === true;
  const vipsWait = settings.commitBeforeVip && !isResumed && options.vipsReady !== true;
  const [first, ...others] = members;
  if (first === undefined) return;
  const areShownTogether = settings.commitBeforeVip && !vipsWait;
  enterMaster(first, because, vipsWait || areShownTogether);
  for (const member of others) enterMaster(member, followText(first), vipsWait || areShownTogether);
  if (areShownTogether) showVips(members);
  unit.preemption = 'free';
  unit.heldBecause = undefined;
  unit.releaseOrder = vipsWait ? members.map((member) => member.instance.name) : [];
  changeRole(step, 'MASTER', because, { vipsWait, isResumed });
  if (!vipsWait) notifyGroup(step, 'MASTER');
}

/** The coordinator lets the addresses come up; nothing happens if that role is over. */
export function releaseVips(step: StepDraft, epoch: number): void {
  const { unit } = step;
  if (unit.role !== 'MASTER' || unit.epoch !== epoch || unit.releaseOrder.length === 0) return;
  const order = unit.releaseOrder;
  unit.releaseOrder = [];
  const members = order
    .map((name) => findMember(step, name))
    .filter((member) => member !== undefined);
  showVips(members.filter(({ instance }) => instance.vips === 'waiting'));
  notifyGroup(step, 'MASTER');
}

/** Another router is to be MASTER for `first`: all go BACKUP, silently on the wire. */
export function stepDown(step: StepDraft, first: MemberDraft, because: string): void {
  enterBackupTogether(
    step,
    allMembers(step, first),
    because,
    false,
    first.instance.master?.address,
  );
}

/** All members become BACKUP; with `saysZero` a MASTER tells its peers that it leaves. */
export function enterBackupTogether(
  step: StepDraft,
  members: readonly MemberDraft[],
  because: string,
  saysZero: boolean,
  yieldedTo?: IpAddress,
): void {
  const [first] = members;
  const wasFault = step.unit.role === 'FAULT';
  for (const member of members) {
    const { instance, settings } = member;
    if (saysZero && instance.state === 'MASTER') sendAdvert(member, 0);
    if (instance.state !== 'MASTER') instance.masterAdvertInterval = settings.advertInterval;
    enterBackup(member, member === first || first === undefined ? because : followText(first));
    if (wasFault && settings.unicastPeers.length > 0) {
      act(step, { kind: 'announceSource', instance: instance.name });
    }
  }
  step.unit.releaseOrder = [];
  changeRole(step, 'BACKUP', because, {
    ...noFlags,
    ...(yieldedTo === undefined ? {} : { yieldedTo }),
  });
  notifyGroup(step, 'BACKUP');
}

/**
 * Planned hand-over: priority 0, BACKUP, and no preemption until it is released or the peer is
 * lost.
 */
export function resign(step: StepDraft, because: string): void {
  if (step.unit.role === 'MASTER') enterBackupTogether(step, allMembers(step), because, true);
  holdPreemption(step, because);
}

/**
 * Priority 0 of a node that was MASTER before it crashed and has not resumed: who still counts the
 * silence takes over after its skew time. Who was heard as MASTER since has nothing to be told.
 * Where one exists and was not heard, nothing is lost: it answers at once (RFC 3768 section 6.4.3),
 * which sets every waiting router back to a whole master-down time.
 */
export function sayGoodbye(step: StepDraft): void {
  if (step.unit.role === 'MASTER') return;
  const members = allMembers(step);
  const isHeard = ({ instance }: MemberDraft): boolean =>
    instance.master !== undefined || instance.weakerMaster !== undefined;
  if (members.some(isHeard)) return;
  for (const member of members) {
    if (member.instance.conditions.sourceAddress !== undefined) sendAdvert(member, 0);
  }
}

/** From now on a weaker master counts like any other; the one that was to be replaced, at once. */
export function holdPreemption(step: StepDraft, because: string): void {
  followLowerPriorityMaster(step, because);
  step.unit.preemption = 'held';
  step.unit.heldBecause = because;
}

/** No preemption is on its way any more: the silence of a weaker master is waited for anew. */
export function followLowerPriorityMaster(step: StepDraft, because: string): void {
  withdrawPreemption(step, because);
  for (const member of allMembers(step)) {
    const { instance } = member;
    if (instance.state !== 'BACKUP' || instance.weakerMaster === undefined) continue;
    instance.master = instance.weakerMaster;
    instance.weakerMaster = undefined;
    instance.wantsMaster = false;
    instance.drainingFor = undefined;
    waitFurther(member);
  }
}

/** The grant for a wish to preempt. */
export function preempt(step: StepDraft): void {
  const members = allMembers(step);
  const [first] = members;
  const weaker = findLivingLowerPriority(members) ?? first;
  takeOver(step, members, weaker === undefined ? 'preempts' : takeoverText(weaker));
}

/** The wish to preempt, if there is one, is over without an answer. */
export function withdrawPreemption(step: StepDraft, because: string): void {
  const { unit, settings } = step;
  if (unit.preemption !== 'asked' && unit.preemption !== 'granted') return;
  unit.preemption = 'free';
  for (const member of allMembers(step)) member.instance.wantsMaster = false;
  act(step, { kind: 'preemptionWithdrawn', unit: settings.name, epoch: unit.epoch, because });
}

/**
 * Brings the unit where the faults of its members say: FAULT with the first fault, out of it when
 * no member has one left, out of INIT when nothing is awaited either. `changed` is the member with
 * the news.
 */
export function settleFaults(
  step: StepDraft,
  changed: MemberDraft | undefined,
  resumeMaster = false,
): void {
  const { unit } = step;
  const members = allMembers(step, changed);
  const faulty = members.filter((member) => faultOf(member) !== undefined);
  if (faulty.length > 0) {
    enterFaults(step, members, faulty);
    return;
  }
  if (unit.role !== 'INIT' && unit.role !== 'FAULT') return;
  if (resumeMaster && !unit.inMaintenance) {
    takeOver(step, members, 'resumes after a crash', { isResumed: true });
    return;
  }
  if (unit.role === 'INIT' && members.some(isWaiting)) return;
  if (unit.role === 'FAULT') {
    const ready = members.filter(
      (member) => member.instance.state !== 'INIT' || !isWaiting(member),
    );
    enterBackupTogether(step, ready, 'no fault is left', false);
    return;
  }
  enterFirstRole(step, members);
}

/**
 * After a reload changed who belongs to the unit: a member that is new here takes part in the role
 * that the others have, once its conditions are known; and a MASTER among others that are not steps
 * down.
 */
export function enterJoiners(step: StepDraft): void {
  const { unit } = step;
  if (allMembers(step).some((member) => faultOf(member) !== undefined)) return;
  for (const member of allMembers(step)) {
    const { state } = member.instance;
    if (state === unit.role || (state === 'INIT' && isWaiting(member))) continue;
    if (unit.role === 'MASTER') enterMaster(member, joinText(step), unit.releaseOrder.length > 0);
    else if (unit.role === 'BACKUP') {
      if (state === 'MASTER') sendAdvert(member, 0);
      enterBackup(member, joinText(step));
    }
  }
}

/** The end of the unit. Instances are told first, then the group. */
export function stopUnit(step: StepDraft, because: 'STOP' | 'DELETED'): void {
  withdrawPreemption(step, 'stops');
  for (const member of allMembers(step)) enterStop(member, because);
  step.unit.isStarted = false;
  step.unit.releaseOrder = [];
  changeRole(step, 'INIT', because === 'STOP' ? 'stopped' : 'removed from the configuration');
  notifyGroup(step, because);
}

/** undefined: nothing stands against this member taking part. */
export function faultOf({ instance, settings }: MemberDraft): string | undefined {
  if (!instance.hasConditions) return undefined;
  const { faults, sourceAddress } = instance.conditions;
  if (faults[0] !== undefined) return faults[0];
  if (sourceAddress !== undefined) return undefined;
  const wanted = settings.family === 4 ? 'IPv4 address' : 'IPv6 link-local address';
  return `no ${wanted} on ${settings.interfaceName}`;
}

/**
 * From INIT. Only address owners become MASTER at once (RFC 3768 section 6.4.1), all members of a
 * group or none; here the group is told first, as keepalived does at start.
 */
function enterFirstRole(step: StepDraft, members: readonly MemberDraft[]): void {
  const quiet = members.some((member) => member.instance.quietUntil > step.at);
  const areOwners = members.every(
    ({ settings }) => isOwner(settings.priority) && settings.initialState === 'MASTER',
  );
  if (areOwners && !quiet && !step.unit.inMaintenance) {
    takeOver(step, members, 'owns the addresses');
    return;
  }
  notifyGroup(step, 'BACKUP');
  for (const member of members) delayFirstTakeover(member);
  changeRole(step, 'BACKUP', 'start');
}

/** `vrrp_startup_delay`: a full master-down time, counted from the end of the delay. */
function delayFirstTakeover(member: MemberDraft): void {
  const { instance, settings, step } = member;
  const quietUntil = instance.quietUntil;
  if (quietUntil > step.at) {
    instance.quietUntil = addTime(quietUntil, masterDownTime(settings, instance));
  }
  enterBackup(member, 'start');
  instance.quietUntil = quietUntil;
}

function enterFaults(
  step: StepDraft,
  members: readonly MemberDraft[],
  faulty: readonly MemberDraft[],
): void {
  const { unit } = step;
  const [cause] = faulty;
  if (cause === undefined) return;
  const because = memberText(cause, faultOf(cause) ?? '');
  if (unit.role === 'INIT') notifyGroup(step, 'FAULT');
  const order = [cause, ...members.filter((member) => member !== cause)];
  for (const member of order) {
    const own = faultOf(member);
    if (member.instance.state !== 'FAULT') enterFault(member, own ?? because, own !== undefined);
    else member.instance.because = own ?? because;
  }
  withdrawPreemption(step, because);
  unit.releaseOrder = [];
  changeRole(step, 'FAULT', because);
  notifyGroup(step, 'FAULT');
}

function askPreemption(step: StepDraft, from: IpAddress): void {
  const { unit, settings } = step;
  if (unit.preemption === 'asked') return;
  unit.preemption = 'asked';
  unit.epoch += 1;
  act(step, { kind: 'preemptionWanted', unit: settings.name, epoch: unit.epoch, from });
}

/** A member whose weaker master was heard within the time that a master may be silent. */
function findLivingLowerPriority(members: readonly MemberDraft[]): MemberDraft | undefined {
  return members.find(({ instance, settings, step }) => {
    const weaker = instance.weakerMaster;
    if (weaker === undefined) return false;
    return subtractTime(step.at, weaker.lastHeard) < masterDownTime(settings, instance);
  });
}

type RoleFlags = Pick<
  Extract<UnitAction, { kind: 'roleChanged' }>,
  'vipsWait' | 'isResumed' | 'yieldedTo'
>;

const noFlags: RoleFlags = { vipsWait: false, isResumed: false };

function changeRole(
  step: StepDraft,
  to: StateName,
  because: string,
  flags: RoleFlags = noFlags,
): void {
  const { unit, settings } = step;
  const from = unit.role;
  unit.because = because;
  if (from === to) return;
  unit.role = to;
  unit.since = step.at;
  unit.epoch += 1;
  const { epoch } = unit;
  act(step, { kind: 'roleChanged', unit: settings.name, from, to, because, epoch, ...flags });
}

function notifyGroup(step: StepDraft, state: NotifiedState): void {
  const { unit, settings } = step;
  if (!settings.isGroup || unit.notified === state) return;
  unit.notified = state;
  act(step, { kind: 'notifyGroup', unit: settings.name, state });
}

/** Held in INIT: something has not reported yet. */
function isWaiting({ instance }: MemberDraft): boolean {
  return !instance.hasConditions || instance.conditions.awaiting.length > 0;
}
