/**
 * How one instance enters a role: which advertisement, addresses, announcements, notification and
 * timers, in keepalived 2.2.7's order. Whether it may is decided in unitTransitions.ts, for all
 * members together.
 */
import { microseconds } from '../../base/time.js';
import type { NotifiedState, StateName } from './actions.js';
import { masterDownTime } from './timing.js';
import {
  act,
  count,
  startMasterDownTimer,
  startTimer,
  stopMasterDownTimer,
  stopTimer,
  type MemberDraft,
} from './draft.js';

/** Sends one advertisement; `priority` 0 says that we leave. */
export function sendAdvert(
  member: MemberDraft,
  priority = member.instance.effectivePriority,
): void {
  const { instance, step } = member;
  const identification = instance.nextIdentification;
  // 0 is skipped.
  instance.nextIdentification = identification === 0xffff ? 1 : identification + 1;
  instance.lastAdvertSent = step.at;
  act(step, { kind: 'sendAdvert', instance: instance.name, priority, identification });
  count(member, 'advert_sent');
  if (priority === 0) count(member, 'pri_zero_sent');
}

/** An advertisement of a MASTER, after which the next one is a whole interval away. */
export function advertise(member: MemberDraft): void {
  sendAdvert(member);
  startTimer(member, 'advert', member.settings.advertInterval);
}

/**
 * RFC 3768 section 6.4.2: the advertisement goes out first. With `vipsWait` the rest follows in
 * `showVips`.
 */
export function enterMaster(member: MemberDraft, because: string, vipsWait: boolean): void {
  const { instance, settings } = member;
  sendAdvert(member);
  changeState(member, 'MASTER', because);
  count(member, 'become_master');
  stopMasterDownTimer(member);
  stopTimer(member, 'preemptDelay');
  startTimer(member, 'advert', settings.advertInterval);
  instance.masterAdvertInterval = settings.advertInterval;
  instance.preemptDelay = 'idle';
  instance.wantsMaster = true;
  instance.master = undefined;
  instance.weakerMaster = undefined;
  instance.masterInFault = undefined;
  instance.lateUntil = undefined;
  instance.drainingFor = undefined;
  instance.lastTieWon = undefined;
  instance.firstTieLost = undefined;
  instance.lastAnswer = undefined;
  instance.vips = 'waiting';
  if (!vipsWait) showVips([member]);
}

/**
 * All addresses stand before the first is announced: traffic moves to this node on all sides at
 * about one time.
 */
export function showVips(members: readonly MemberDraft[]): void {
  for (const { instance, step } of members) {
    instance.vips = 'present';
    act(step, { kind: 'addVips', instance: instance.name });
  }
  for (const member of members) announceVips(member);
}

/** First block of announcements, notification, timer of the second block. */
function announceVips(member: MemberDraft): void {
  const { instance, settings, step } = member;
  const { masterDelay, masterRefresh, masterRepeat } = settings.garp;
  announce(member, masterRepeat, 'becameMaster');
  notify(member, 'MASTER');
  if (masterDelay > 0) startTimer(member, 'garpDelay', masterDelay);
  instance.nextRefresh = masterRefresh > 0 ? microseconds(step.at + masterRefresh) : undefined;
}

/**
 * BACKUP with a full master-down time ahead. Tells nobody on the wire: see `sendAdvert(seat, 0)`.
 */
export function enterBackup(member: MemberDraft, because: string): void {
  leaveMaster(member, 'BACKUP', because);
  notify(member, 'BACKUP');
  startMasterDownTimer(member, masterDownTime(member.settings, member.instance));
}

/**
 * FAULT: mute, and takes no part. A MASTER says priority 0 first: twice for a fault of its own,
 * once when it only follows its group (keepalived 2.2.7); without a source address it cannot say
 * anything.
 */
export function enterFault(member: MemberDraft, because: string, isOwnFault: boolean): void {
  const { instance } = member;
  const { master } = instance;
  const { sourceAddress, lostSource } = instance.conditions;
  if (instance.state === 'MASTER' && (sourceAddress ?? lostSource) !== undefined) {
    sendAdvert(member, 0);
    if (isOwnFault) sendAdvert(member, 0);
  }
  leaveMaster(member, 'FAULT', because);
  stopMasterDownTimer(member);
  stopTimer(member, 'preemptDelay');
  instance.master = undefined;
  instance.masterInFault = master?.priority === 0 ? undefined : master;
  notify(member, 'FAULT');
}

/** The end: a MASTER says priority 0 and takes its addresses down. */
export function enterStop(member: MemberDraft, because: 'STOP' | 'DELETED'): void {
  const { instance } = member;
  if (instance.state === 'MASTER') sendAdvert(member, 0);
  leaveMaster(member, 'INIT', because === 'STOP' ? 'stopped' : 'removed from the configuration');
  stopMasterDownTimer(member);
  stopTimer(member, 'preemptDelay');
  notify(member, because);
}

export function announce(
  member: MemberDraft,
  rounds: number,
  because: 'becameMaster' | 'masterDelay' | 'refresh' | 'lowerPriority' | 'lowerPriorityDelay',
): void {
  if (rounds <= 0 || member.instance.vips !== 'present') return;
  act(member.step, { kind: 'announce', instance: member.instance.name, count: rounds, because });
}

/** A state that was told already is not told again. */
function notify(member: MemberDraft, state: NotifiedState): void {
  const { instance, step } = member;
  if (instance.notified === state) return;
  instance.notified = state;
  const priority = instance.effectivePriority;
  act(step, { kind: 'notify', instance: instance.name, state, priority });
}

/** Common to all ways that do not lead to MASTER; also right for those who never were MASTER. */
function leaveMaster(member: MemberDraft, to: StateName, because: string): void {
  const { instance, step } = member;
  const wasMaster = instance.state === 'MASTER';
  changeState(member, to, because);
  instance.wantsMaster = false;
  instance.weakerMaster = undefined;
  instance.masterInFault = undefined;
  instance.lateUntil = undefined;
  instance.preemptDelay = 'idle';
  instance.drainingFor = undefined;
  if (!wasMaster) return;
  count(member, 'release_master');
  stopTimer(member, 'advert');
  stopTimer(member, 'garpDelay');
  stopTimer(member, 'garpLowerPriority');
  instance.vips = 'absent';
  instance.nextRefresh = undefined;
  act(step, { kind: 'cancelAnnouncements', instance: instance.name });
  act(step, { kind: 'removeVips', instance: instance.name });
}

function changeState(member: MemberDraft, to: StateName, because: string): void {
  const { instance, step } = member;
  const from = instance.state;
  instance.because = because;
  if (from === to) return;
  instance.state = to;
  instance.since = step.at;
  act(step, { kind: 'transition', instance: instance.name, from, to, because });
}
