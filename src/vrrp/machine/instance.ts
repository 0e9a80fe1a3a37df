/**
 * What one instance makes of an advertisement or a timer within its role (RFC 3768 section 6.4, RFC 5798
 * section 6.4). Where that asks for another role, the answer is a request: group.ts grants it, for all
 * members of the unit together.
 */
import { compareIp, formatIp, ipEquals, type IpAddress } from '../../base/ipAddress.js';
import { centiseconds, microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import { judge } from './advertAcceptance.js';
import type { TimerName } from './events.js';
import type { Advert } from '../wire/packet.js';
import { isOwner } from './priority.js';
import { advertise, announce, sendAdvert } from './roles.js';
import type { InstanceState } from './state.js';
import { answerPeriod, masterDownTime, peersPatience, skewTime } from './timing.js';
import {
  act,
  allSeats,
  complain,
  count,
  forgetTimer,
  startMasterDownTimer,
  startTimer,
  stopTimer,
  type Seat,
  type Turn,
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
  | { readonly kind: 'content'; readonly because: string };

/** A datagram for this instance. INIT and FAULT are deaf. */
export function receive(seat: Seat, datagram: VrrpDatagram): RoleRequest | undefined {
  const { instance, settings } = seat;
  if (instance.state !== 'BACKUP' && instance.state !== 'MASTER') return undefined;
  const trusted = instance.state === 'BACKUP' ? instance.master?.address : undefined;
  const verdict = judge(datagram, settings, trusted);
  if (verdict.kind === 'rejected') {
    // Nothing else happens: junk neither restarts nor delays a timer.
    if (verdict.isCounted) count(seat, 'advert_rcvd');
    complain(seat, verdict.finding);
    return undefined;
  }
  count(seat, 'advert_rcvd');
  for (const complaint of verdict.complaints) complain(seat, complaint);
  if (verdict.advert.priority === 0) count(seat, 'pri_zero_rcvd');
  return instance.state === 'BACKUP'
    ? hearAsBackup(seat, datagram.source, verdict.advert)
    : hearAsMaster(seat, datagram.source, verdict.advert.priority);
}

/**
 * A timer that was due at `rang` rings. One that was stopped or replaced meanwhile is no news; one that
 * rings early is set again for what is left, so that none is ever below its formula.
 */
export function ring(seat: Seat, timer: TimerName, rang: Microseconds): RoleRequest | undefined {
  const { instance, turn } = seat;
  const due = instance.timers[timer];
  if (due === undefined || due > turn.at) {
    if (due === rang) startTimer(seat, timer, subtractTime(due, turn.at));
    return undefined;
  }
  forgetTimer(seat, timer);
  switch (timer) {
    case 'masterDown':
      // The process may have been stalled: adverts that wait in a socket count before the silence does.
      for (const other of allSeats(turn)) {
        if (other !== seat && other.instance.wantsMaster) drain(other);
      }
      drainFor(seat, 'masterDown');
      return undefined;
    case 'masterSilent':
      drainFor(seat, 'masterSilent');
      return undefined;
    case 'advert':
      ringAdvert(seat);
      return undefined;
    case 'preemptDelay':
      instance.preemptDelay = 'over';
      return undefined;
    case 'garpDelay':
    case 'garpLowerPriority':
      ringAnnouncement(seat, timer);
      return undefined;
  }
}

/**
 * The second block. A bound unit that was stalled, or has just heard another MASTER, must not draw traffic to windows that
 * have grown stale: it waits an interval, in which it hears whoever is there, and the coordinator merges.
 */
function ringAnnouncement(seat: Seat, timer: 'garpDelay' | 'garpLowerPriority'): void {
  const { instance, settings, turn } = seat;
  const isStalled = silenceOf(seat) >= peersPatience(settings);
  const hasRival = allSeats(turn).some(
    ({ instance: { lastAnswer } }) =>
      lastAnswer !== undefined && subtractTime(turn.at, lastAnswer) < settings.advertInterval,
  );
  if (
    turn.settings.commitBeforeVip &&
    instance.state === 'MASTER' &&
    (isStalled || (hasRival && timer === 'garpDelay'))
  ) {
    startTimer(seat, timer, settings.advertInterval);
    return;
  }
  const { masterRepeat, lowerPrioRepeat } = settings.garp;
  if (timer === 'garpDelay') announce(seat, masterRepeat, 'masterDelay');
  else announce(seat, lowerPrioRepeat, 'lowerPriorityDelay');
}

/** What waited in the socket has been read; is the decision still to be made? */
export function drained(seat: Seat): RoleRequest | undefined {
  const { instance, turn } = seat;
  const decision = instance.drainingFor;
  instance.drainingFor = undefined;
  if (decision === 'masterDown' && instance.timers.masterDown === undefined) {
    return { kind: 'takeover' };
  }
  if (decision === 'masterSilent' && instance.timers.masterSilent === undefined) {
    return { kind: 'prepare' };
  }
  if (turn.unit.preemption === 'granted' && isLastMember(seat)) return { kind: 'preempt' };
  if (decision === 'advert' && instance.timers.advert === undefined) advertiseOnTime(seat);
  return undefined;
}

/** Preemption is granted: what waits for any member is read first, `drained` of the last one decides. */
export function listenBeforePreempt(turn: Turn): void {
  for (const seat of allSeats(turn)) drain(seat);
}

function isLastMember({ instance, turn }: Seat): boolean {
  return turn.settings.members.at(-1)?.name === instance.name;
}

/** Waits another master-down time, still wanting to be MASTER (sync groups; a preemption that is asked for). */
export function waitFurther(seat: Seat): void {
  startMasterDownTimer(seat, masterDownTime(seat.settings, seat.instance));
}

function hearAsBackup(seat: Seat, source: IpAddress, advert: Advert): RoleRequest | undefined {
  const { instance, settings, turn } = seat;
  const heard = { address: source, priority: advert.priority, lastHeard: turn.at };
  if (advert.priority === 0) {
    if (isOtherMasterAlive(seat, source)) return undefined;
    instance.master = heard;
    instance.weakerMaster = undefined;
    startMasterDownTimer(seat, skewTime(settings, instance));
    return undefined;
  }
  if (advert.priority < instance.effectivePriority && mayPreempt(seat)) {
    instance.weakerMaster = heard;
    // While the preemption waits for its grant, the silence of the old master must still be noticed.
    if (turn.unit.preemption !== 'free' && instance.wantsMaster) waitFurther(seat);
    return undefined;
  }
  if (advert.priority >= instance.effectivePriority) stopPreemptDelay(seat);
  instance.master = heard;
  instance.weakerMaster = undefined;
  instance.drainingFor = undefined;
  const wanted = instance.wantsMaster;
  instance.wantsMaster = false;
  // RFC 5798 section 6.4.2 (420): the master's interval counts, not ours.
  if (advert.version === 3) {
    instance.masterAdvertInterval = centiseconds(Math.max(1, advert.intervalCentiseconds));
  }
  startMasterDownTimer(seat, masterDownTime(settings, instance));
  const because = `${formatIp(source)} is MASTER with priority ${advert.priority}`;
  return wanted ? { kind: 'content', because } : undefined;
}

/**
 * `leaving` said priority 0; is somebody else our master? RFC 3768 section 6.4.2 does not ask, but a late
 * copy of that packet would make every backup with a short skew take the role from its successor.
 */
function isOtherMasterAlive({ instance, settings, turn }: Seat, leaving: IpAddress): boolean {
  const { master, weakerMaster } = instance;
  if (master === undefined || master.priority === 0) return false;
  if (weakerMaster !== undefined && ipEquals(weakerMaster.address, leaving)) return false;
  if (ipEquals(master.address, leaving)) return false;
  return subtractTime(turn.at, master.lastHeard) < masterDownTime(settings, instance);
}

/** A lower-priority advertisement was heard: does it count for nothing? Starts `preempt_delay`. */
function mayPreempt(seat: Seat): boolean {
  const { instance, settings, turn } = seat;
  if (!settings.preempt || turn.unit.preemption === 'held' || turn.unit.inMaintenance) return false;
  if (settings.preemptDelay === 0 || instance.preemptDelay === 'over') return true;
  if (instance.preemptDelay === 'idle') {
    instance.preemptDelay = 'running';
    startTimer(seat, 'preemptDelay', settings.preemptDelay);
  }
  return false;
}

function stopPreemptDelay(seat: Seat): void {
  stopTimer(seat, 'preemptDelay');
  seat.instance.preemptDelay = 'idle';
}

function hearAsMaster(seat: Seat, source: IpAddress, priority: number): RoleRequest | undefined {
  const { instance, settings, turn } = seat;
  if (priority === 0) {
    // RFC 3768 section 6.4.3: answer at once, so that the other backups stay quiet.
    if (mayAnswer(seat)) advertise(seat);
    return undefined;
  }
  switch (compareWith(seat, source, priority)) {
    case 'itself':
      return undefined;
    case 'weaker':
      if (mayAnswer(seat)) forceElection(seat, source, priority);
      return undefined;
    case 'stronger':
      if (settings.higherPrioSendAdvert) sendAdvert(seat);
      instance.master = { address: source, priority, lastHeard: turn.at };
      return { kind: 'stepDown', because: higherText(seat, source, priority) };
    case 'undecided':
      return undefined;
  }
}

type Comparison = 'weaker' | 'stronger' | 'itself' | 'undecided';

/** RFC 3768 section 6.4.3: the higher priority is MASTER, of equal ones the higher address. */
function compareWith(seat: Seat, source: IpAddress, priority: number): Comparison {
  const { instance } = seat;
  const ours = instance.effectivePriority;
  const own = instance.conditions.sourceAddress;
  if (own !== undefined && ipEquals(own, source)) {
    const text = `another router sends from our address ${formatIp(source)}`;
    complain(seat, { reason: 'ownAddress', counter: undefined, text });
    if (priority === ours) return 'itself';
  }
  if (isOwner(priority) && isOwner(ours)) {
    const text = `${formatIp(source)} and we both have priority 255: only one can own the addresses`;
    complain(seat, { reason: 'twoAddressOwners', counter: undefined, text });
  }
  if (priority !== ours) return priority < ours ? 'weaker' : 'stronger';
  const isWon = own === undefined || compareIp(source, own) < 0;
  return breakTie(seat, isWon);
}

/**
 * In a group two nodes of equal priority can each have the higher address on one LAN; both would step down,
 * again and again. So the member that stands first in the group decides: where one before this has just won,
 * the rival is about to give way. Its advert may still be on the way: the first defeat of a later member is
 * not decisive, the next one, an interval later, is.
 */
function breakTie({ instance, settings, turn }: Seat, isWon: boolean): Comparison {
  if (isWon) {
    instance.lastTieWon = turn.at;
    return 'weaker';
  }
  const before = allSeats(turn).slice(0, turn.settings.members.indexOf(settings));
  if (before.length === 0) return 'stronger';
  const isRecent = (at: Microseconds | undefined): boolean =>
    at !== undefined && subtractTime(turn.at, at) < peersPatience(settings);
  if (before.some((each) => isRecent(each.instance.lastTieWon))) return 'weaker';
  const lost = instance.firstTieLost;
  if (lost !== undefined && isRecent(lost)) {
    return subtractTime(turn.at, lost) < settings.advertInterval / 2 ? 'undecided' : 'stronger';
  }
  instance.firstTieLost = turn.at;
  return 'undecided';
}

/** Bounds what duplicated or queued packets can make a MASTER send. */
function mayAnswer(seat: Seat): boolean {
  const { instance, settings, turn } = seat;
  const last = instance.lastAnswer;
  if (last !== undefined && subtractTime(turn.at, last) < answerPeriod(settings)) return false;
  instance.lastAnswer = turn.at;
  return true;
}

/** Somebody of lower rank believes to be MASTER: say who is, to routers and to neighbours. */
function forceElection(seat: Seat, from: IpAddress, priority: number): void {
  const { instance, settings, turn } = seat;
  const unit = turn.settings.name;
  act(turn, { kind: 'otherMasterSeen', unit, instance: instance.name, from, priority });
  if (!settings.lowerPrioNoAdvert) advertise(seat);
  for (const member of allSeats(turn, seat)) {
    const { lowerPrioDelay, lowerPrioRepeat } = member.settings.garp;
    // A bound unit's traffic is drawn here when its coordinator has merged the flows of both.
    if (!turn.settings.commitBeforeVip) announce(member, lowerPrioRepeat, 'lowerPriority');
    if (lowerPrioRepeat > 0 && lowerPrioDelay > 0 && member.instance.vips === 'present') {
      startTimer(member, 'garpLowerPriority', lowerPrioDelay);
    }
  }
  act(turn, { kind: 'notifyLowerPriority', instance: instance.name });
}

function higherText(seat: Seat, source: IpAddress, priority: number): string {
  const ours = seat.instance.effectivePriority;
  return priority === ours
    ? `${formatIp(source)} has the same priority ${priority} and the higher address`
    : `${formatIp(source)} has the higher priority ${priority}, ours ${ours}`;
}

/** Silent for so long that a peer may have taken over: listen first, then speak. */
function ringAdvert(seat: Seat): void {
  if (silenceOf(seat) >= peersPatience(seat.settings)) drainFor(seat, 'advert');
  else advertiseOnTime(seat);
}

/** Since our last advertisement. */
function silenceOf({ instance, turn }: Seat): Microseconds {
  return subtractTime(turn.at, instance.lastAdvertSent ?? turn.at);
}

function advertiseOnTime(seat: Seat): void {
  const { instance, settings, turn } = seat;
  advertise(seat);
  const { masterRefresh, masterRefreshRepeat } = settings.garp;
  if (instance.nextRefresh === undefined || instance.nextRefresh > turn.at) return;
  announce(seat, masterRefreshRepeat, 'refresh');
  const next = instance.nextRefresh + masterRefresh;
  instance.nextRefresh = microseconds(next > turn.at ? next : turn.at + masterRefresh);
}

function drainFor(seat: Seat, decision: NonNullable<InstanceState['drainingFor']>): void {
  seat.instance.drainingFor = decision;
  drain(seat);
}

function drain(seat: Seat): void {
  act(seat.turn, { kind: 'drainSockets', instance: seat.instance.name });
}
