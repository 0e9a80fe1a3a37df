/**
 * What one instance makes of an advertisement or a timer within its role (RFC 3768 section 6.4, RFC
 * 5798 section 6.4). Where that asks for another role, the answer is a request: unit.ts grants it,
 * for all members of the unit together.
 */
import { compareIp, formatIp, ipEquals, type IpAddress } from '../../base/ipAddress.js';
import { centiseconds, microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { AdvertProof } from '../auth/proof.js';
import { judge } from './advertAcceptance.js';
import type { TimerName } from './events.js';
import { waitForLateMaster } from './lateMaster.js';
import { noteMasterInFault } from './masterInFault.js';
import type { Advert } from '../wire/packet.js';
import { isOwner } from './priority.js';
import { advertise, announce, sendAdvert } from './roles.js';
import type { InstanceState } from './state.js';
import { answerPeriod, masterDownTime, peersTimeout, skewTime } from './timing.js';
import {
  act,
  allMembers,
  complain,
  count,
  forgetTimer,
  startMasterDownTimer,
  startTimer,
  stopTimer,
  type MemberDraft,
  type StepDraft,
} from './draft.js';

/** `takeover`: this member's master is silent. `stepDown`: another router is to be MASTER. */
export type RoleRequest =
  | { readonly kind: 'takeover' }
  /** This member's master is likely to be lost: what a takeover waits for can begin. */
  | { readonly kind: 'prepare' }
  /** What waited was read after a preemption was granted. */
  | { readonly kind: 'preempt' }
  | { readonly kind: 'stepDown'; readonly because: string }
  /** The wish to take over is gone: a master that counts was heard. */
  | { readonly kind: 'stayBackup'; readonly because: string };

/** A datagram for this instance. INIT is deaf, and so is FAULT but for who is MASTER. */
export function receive(
  member: MemberDraft,
  datagram: VrrpDatagram,
  proof?: AdvertProof,
): RoleRequest | undefined {
  const { instance, settings } = member;
  if (instance.state === 'FAULT') noteMasterInFault(member, datagram, proof);
  if (instance.state !== 'BACKUP' && instance.state !== 'MASTER') return undefined;
  const trusted = instance.state === 'BACKUP' ? instance.master?.address : undefined;
  const verdict = judge(datagram, settings, trusted, proof);
  if (verdict.kind === 'rejected') {
    // Nothing else happens: junk neither restarts nor delays a timer.
    if (verdict.isCounted) count(member, 'advert_rcvd');
    complain(member, verdict.finding);
    if (verdict.latePriority !== undefined) waitForLateMaster(member, verdict.latePriority);
    return undefined;
  }
  count(member, 'advert_rcvd');
  for (const complaint of verdict.complaints) complain(member, complaint);
  if (verdict.advert.priority === 0) count(member, 'pri_zero_rcvd');
  return instance.state === 'BACKUP'
    ? hearAsBackup(member, datagram.source, verdict.advert)
    : hearAsMaster(member, datagram.source, verdict.advert.priority);
}

/**
 * A timer that was due at `due` fired. One that was stopped or replaced meanwhile is no news; one
 * that fires early is set again for what is left, so that none is ever below its formula.
 */
export function timerFired(
  member: MemberDraft,
  timer: TimerName,
  due: Microseconds,
): RoleRequest | undefined {
  const { instance, step } = member;
  const expected = instance.timers[timer];
  if (expected === undefined || expected > step.at) {
    if (expected === due) startTimer(member, timer, subtractTime(expected, step.at));
    return undefined;
  }
  forgetTimer(member, timer);
  switch (timer) {
    case 'masterDown':
      // The process may have been stalled: adverts that wait in a socket count before the silence
      // does.
      for (const other of allMembers(step)) {
        if (other !== member && other.instance.wantsMaster) drain(other);
      }
      drainFor(member, 'masterDown');
      return undefined;
    case 'masterSilent':
      drainFor(member, 'masterSilent');
      return undefined;
    case 'advert':
      advertDue(member);
      return undefined;
    case 'preemptDelay':
      instance.preemptDelay = 'over';
      return undefined;
    case 'garpDelay':
    case 'garpLowerPriority':
      announcementDue(member, timer);
      return undefined;
  }
}

/**
 * The second block. A bound unit that was stalled, or has just heard another MASTER, must not draw
 * traffic to windows that have grown stale: it waits an interval, in which it hears whoever is
 * there, and the coordinator merges.
 */
function announcementDue(member: MemberDraft, timer: 'garpDelay' | 'garpLowerPriority'): void {
  const { instance, settings, step } = member;
  const isStalled = silenceOf(member) >= peersTimeout(settings);
  const hasRival = allMembers(step).some(
    ({ instance: { lastAnswer } }) =>
      lastAnswer !== undefined && subtractTime(step.at, lastAnswer) < settings.advertInterval,
  );
  if (
    step.settings.commitBeforeVip &&
    instance.state === 'MASTER' &&
    (isStalled || (hasRival && timer === 'garpDelay'))
  ) {
    startTimer(member, timer, settings.advertInterval);
    return;
  }
  const { masterRepeat, lowerPrioRepeat } = settings.garp;
  if (timer === 'garpDelay') announce(member, masterRepeat, 'masterDelay');
  else announce(member, lowerPrioRepeat, 'lowerPriorityDelay');
}

/** What waited in the socket has been read; is the decision still to be made? */
export function drained(member: MemberDraft): RoleRequest | undefined {
  const { instance, step } = member;
  const decision = instance.drainingFor;
  instance.drainingFor = undefined;
  if (decision === 'masterDown' && instance.timers.masterDown === undefined) {
    return { kind: 'takeover' };
  }
  if (decision === 'masterSilent' && instance.timers.masterSilent === undefined) {
    return { kind: 'prepare' };
  }
  if (step.unit.preemption === 'granted' && isLastMember(member)) return { kind: 'preempt' };
  if (decision === 'advert' && instance.timers.advert === undefined) advertiseOnTime(member);
  return undefined;
}

/**
 * Preemption is granted: what waits for any member is read first, `drained` of the last one
 * decides.
 */
export function listenBeforePreempt(step: StepDraft): void {
  for (const member of allMembers(step)) drain(member);
}

function isLastMember({ instance, step }: MemberDraft): boolean {
  return step.settings.members.at(-1)?.name === instance.name;
}

/**
 * Waits another master-down time, still wanting to be MASTER (sync groups; a preemption that is
 * asked for).
 */
export function waitFurther(member: MemberDraft): void {
  startMasterDownTimer(member, masterDownTime(member.settings, member.instance));
}

function hearAsBackup(
  member: MemberDraft,
  source: IpAddress,
  advert: Advert,
): RoleRequest | undefined {
  const { instance, settings, step } = member;
  instance.lateUntil = undefined;
  const heard = { address: source, priority: advert.priority, lastHeard: step.at };
  if (advert.priority === 0) {
    if (isOtherMasterAlive(member, source)) return undefined;
    instance.master = heard;
    instance.weakerMaster = undefined;
    startMasterDownTimer(member, skewTime(settings, instance));
    return undefined;
  }
  if (advert.priority < instance.effectivePriority && mayPreempt(member)) {
    instance.weakerMaster = heard;
    // While the preemption waits for its grant, the silence of the old master must still be
    // noticed.
    if (step.unit.preemption !== 'free' && instance.wantsMaster) waitFurther(member);
    return undefined;
  }
  if (advert.priority >= instance.effectivePriority) stopPreemptDelay(member);
  instance.master = heard;
  instance.weakerMaster = undefined;
  instance.drainingFor = undefined;
  const wanted = instance.wantsMaster;
  instance.wantsMaster = false;
  // RFC 5798 section 6.4.2 (420): the master's interval counts, not ours.
  if (advert.version === 3) {
    instance.masterAdvertInterval = centiseconds(Math.max(1, advert.intervalCentiseconds));
  }
  startMasterDownTimer(member, masterDownTime(settings, instance));
  const because = `${formatIp(source)} is MASTER with priority ${advert.priority}`;
  return wanted ? { kind: 'stayBackup', because } : undefined;
}

/**
 * `leaving` said priority 0; is somebody else our master? RFC 3768 section 6.4.2 does not ask, but
 * a late copy of that packet would make every backup with a short skew take the role from its
 * successor.
 */
function isOtherMasterAlive(
  { instance, settings, step }: MemberDraft,
  leaving: IpAddress,
): boolean {
  const { master, weakerMaster } = instance;
  if (master === undefined || master.priority === 0) return false;
  if (weakerMaster !== undefined && ipEquals(weakerMaster.address, leaving)) return false;
  if (ipEquals(master.address, leaving)) return false;
  return subtractTime(step.at, master.lastHeard) < masterDownTime(settings, instance);
}

/** A lower-priority advertisement was heard: does it count for nothing? Starts `preempt_delay`. */
function mayPreempt(member: MemberDraft): boolean {
  const { instance, settings, step } = member;
  if (!settings.preempt || step.unit.preemption === 'held' || step.unit.inMaintenance) return false;
  if (settings.preemptDelay === 0 || instance.preemptDelay === 'over') return true;
  if (instance.preemptDelay === 'idle') {
    instance.preemptDelay = 'running';
    startTimer(member, 'preemptDelay', settings.preemptDelay);
  }
  return false;
}

function stopPreemptDelay(member: MemberDraft): void {
  stopTimer(member, 'preemptDelay');
  member.instance.preemptDelay = 'idle';
}

function hearAsMaster(
  member: MemberDraft,
  source: IpAddress,
  priority: number,
): RoleRequest | undefined {
  const { instance, settings, step } = member;
  if (priority === 0) {
    // RFC 3768 section 6.4.3: answer at once, so that the other backups stay quiet.
    if (mayAnswer(member)) advertise(member);
    return undefined;
  }
  switch (compareWith(member, source, priority)) {
    case 'itself':
      return undefined;
    case 'weaker':
      if (mayAnswer(member)) forceElection(member, source, priority);
      return undefined;
    case 'stronger':
      if (settings.higherPrioSendAdvert) sendAdvert(member);
      instance.master = { address: source, priority, lastHeard: step.at };
      return { kind: 'stepDown', because: higherText(member, source, priority) };
    case 'undecided':
      return undefined;
  }
}

type Comparison = 'weaker' | 'stronger' | 'itself' | 'undecided';

/** RFC 3768 section 6.4.3: the higher priority is MASTER, of equal ones the higher address. */
function compareWith(member: MemberDraft, source: IpAddress, priority: number): Comparison {
  const { instance } = member;
  const ours = instance.effectivePriority;
  const own = instance.conditions.sourceAddress;
  if (own !== undefined && ipEquals(own, source)) {
    const text = `another router sends from our address ${formatIp(source)}`;
    complain(member, { reason: 'ownAddress', counter: undefined, text });
    if (priority === ours) return 'itself';
  }
  if (isOwner(priority) && isOwner(ours)) {
    const text = `${formatIp(source)} and we both have priority 255: only one can own the addresses`;
    complain(member, { reason: 'twoAddressOwners', counter: undefined, text });
  }
  if (priority !== ours) return priority < ours ? 'weaker' : 'stronger';
  const isWon = own === undefined || compareIp(source, own) < 0;
  return breakTie(member, isWon);
}

/**
 * In a group two nodes of equal priority can each have the higher address on one LAN; both would
 * step down, again and again. So the member that stands first in the group decides: where one
 * before this has just won, the rival is about to give way. Its advert may still be on the way: the
 * first defeat of a later member is not decisive, the next one, an interval later, is.
 */
function breakTie({ instance, settings, step }: MemberDraft, isWon: boolean): Comparison {
  if (isWon) {
    instance.lastTieWon = step.at;
    return 'weaker';
  }
  const before = allMembers(step).slice(0, step.settings.members.indexOf(settings));
  if (before.length === 0) return 'stronger';
  const isRecent = (at: Microseconds | undefined): boolean =>
    at !== undefined && subtractTime(step.at, at) < peersTimeout(settings);
  if (before.some((each) => isRecent(each.instance.lastTieWon))) return 'weaker';
  const lost = instance.firstTieLost;
  if (lost !== undefined && isRecent(lost)) {
    return subtractTime(step.at, lost) < settings.advertInterval / 2 ? 'undecided' : 'stronger';
  }
  instance.firstTieLost = step.at;
  return 'undecided';
}

/** Bounds what duplicated or queued packets can make a MASTER send. */
function mayAnswer(member: MemberDraft): boolean {
  const { instance, settings, step } = member;
  const last = instance.lastAnswer;
  if (last !== undefined && subtractTime(step.at, last) < answerPeriod(settings)) return false;
  instance.lastAnswer = step.at;
  return true;
}

/** Somebody of lower rank believes to be MASTER: say who is, to routers and to neighbours. */
function forceElection(member: MemberDraft, from: IpAddress, priority: number): void {
  const { instance, settings, step } = member;
  const unit = step.settings.name;
  act(step, { kind: 'otherMasterSeen', unit, instance: instance.name, from, priority });
  if (!settings.lowerPrioNoAdvert) advertise(member);
  for (const each of allMembers(step, member)) {
    const { lowerPrioDelay, lowerPrioRepeat } = each.settings.garp;
    // A bound unit's traffic is drawn here when its coordinator has merged the flows of both.
    if (!step.settings.commitBeforeVip) announce(each, lowerPrioRepeat, 'lowerPriority');
    if (lowerPrioRepeat > 0 && lowerPrioDelay > 0 && each.instance.vips === 'present') {
      startTimer(each, 'garpLowerPriority', lowerPrioDelay);
    }
  }
  act(step, { kind: 'notifyLowerPriority', instance: instance.name });
}

function higherText(member: MemberDraft, source: IpAddress, priority: number): string {
  const ours = member.instance.effectivePriority;
  return priority === ours
    ? `${formatIp(source)} has the same priority ${priority} and the higher address`
    : `${formatIp(source)} has the higher priority ${priority}, ours ${ours}`;
}

/** Silent for so long that a peer may have taken over: listen first, then speak. */
function advertDue(member: MemberDraft): void {
  if (silenceOf(member) >= peersTimeout(member.settings)) drainFor(member, 'advert');
  else advertiseOnTime(member);
}

/** Since our last advertisement. */
function silenceOf({ instance, step }: MemberDraft): Microseconds {
  return subtractTime(step.at, instance.lastAdvertSent ?? step.at);
}

function advertiseOnTime(member: MemberDraft): void {
  const { instance, settings, step } = member;
  advertise(member);
  const { masterRefresh, masterRefreshRepeat } = settings.garp;
  if (instance.nextRefresh === undefined || instance.nextRefresh > step.at) return;
  announce(member, masterRefreshRepeat, 'refresh');
  const next = instance.nextRefresh + masterRefresh;
  instance.nextRefresh = microseconds(next > step.at ? next : step.at + masterRefresh);
}

function drainFor(member: MemberDraft, decision: NonNullable<InstanceState['drainingFor']>): void {
  member.instance.drainingFor = decision;
  drain(member);
}

function drain(member: MemberDraft): void {
  act(member.step, { kind: 'drainSockets', instance: member.instance.name });
}
