/**
 * How one instance enters a role: which advertisement, addresses, announcements, notification and timers,
 * in keepalived 2.2.7's order. Whether it may is decided in group.ts, for all members together.
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
  type Seat,
} from './draft.js';

/** Sends one advertisement; `priority` 0 says that we leave. */
export function sendAdvert(seat: Seat, priority = seat.instance.effectivePriority): void {
  const { instance, turn } = seat;
  const identification = instance.nextIdentification;
  // 0 is skipped.
  instance.nextIdentification = identification === 0xffff ? 1 : identification + 1;
  instance.lastAdvertSent = turn.at;
  act(turn, { kind: 'sendAdvert', instance: instance.name, priority, identification });
  count(seat, 'advert_sent');
  if (priority === 0) count(seat, 'pri_zero_sent');
}

/** An advertisement of a MASTER, after which the next one is a whole interval away. */
export function advertise(seat: Seat): void {
  sendAdvert(seat);
  startTimer(seat, 'advert', seat.settings.advertInterval);
}

/**
 * RFC 3768 section 6.4.2: the advertisement goes out first. With `vipsWait` the rest follows in `showVips`.
 */
export function enterMaster(seat: Seat, because: string, vipsWait: boolean): void {
  const { instance, settings } = seat;
  sendAdvert(seat);
  changeState(seat, 'MASTER', because);
  count(seat, 'become_master');
  stopMasterDownTimer(seat);
  stopTimer(seat, 'preemptDelay');
  startTimer(seat, 'advert', settings.advertInterval);
  instance.masterAdvertInterval = settings.advertInterval;
  instance.preemptDelay = 'idle';
  instance.wantsMaster = true;
  instance.master = undefined;
  instance.weakerMaster = undefined;
  instance.drainingFor = undefined;
  instance.lastTieWon = undefined;
  instance.firstTieLost = undefined;
  instance.lastAnswer = undefined;
  instance.vips = 'waiting';
  if (!vipsWait) showVips([seat]);
}

/** All addresses stand before the first is announced: traffic moves to this node on all sides at about one time. */
export function showVips(seats: readonly Seat[]): void {
  for (const { instance, turn } of seats) {
    instance.vips = 'present';
    act(turn, { kind: 'addVips', instance: instance.name });
  }
  for (const seat of seats) tellOfVips(seat);
}

/** First block of announcements, notification, timer of the second block. */
function tellOfVips(seat: Seat): void {
  const { instance, settings, turn } = seat;
  const { masterDelay, masterRefresh, masterRepeat } = settings.garp;
  announce(seat, masterRepeat, 'becameMaster');
  notify(seat, 'MASTER');
  if (masterDelay > 0) startTimer(seat, 'garpDelay', masterDelay);
  instance.nextRefresh = masterRefresh > 0 ? microseconds(turn.at + masterRefresh) : undefined;
}

/** BACKUP with a full master-down time ahead. Tells nobody on the wire: see `sendAdvert(seat, 0)`. */
export function enterBackup(seat: Seat, because: string): void {
  leaveMaster(seat, 'BACKUP', because);
  notify(seat, 'BACKUP');
  startMasterDownTimer(seat, masterDownTime(seat.settings, seat.instance));
}

/**
 * FAULT: deaf and mute. A MASTER says priority 0 first: twice for a fault of its own, once when it only
 * follows its group (keepalived 2.2.7); without a source address it cannot say anything.
 */
export function enterFault(seat: Seat, because: string, isOwnFault: boolean): void {
  const { instance } = seat;
  if (instance.state === 'MASTER' && instance.conditions.sourceAddress !== undefined) {
    sendAdvert(seat, 0);
    if (isOwnFault) sendAdvert(seat, 0);
  }
  leaveMaster(seat, 'FAULT', because);
  stopMasterDownTimer(seat);
  stopTimer(seat, 'preemptDelay');
  instance.master = undefined;
  notify(seat, 'FAULT');
}

/** The end: a MASTER says priority 0 and takes its addresses down. */
export function enterStop(seat: Seat, because: 'STOP' | 'DELETED'): void {
  const { instance } = seat;
  if (instance.state === 'MASTER') sendAdvert(seat, 0);
  leaveMaster(seat, 'INIT', because === 'STOP' ? 'stopped' : 'removed from the configuration');
  stopMasterDownTimer(seat);
  stopTimer(seat, 'preemptDelay');
  notify(seat, because);
}

export function announce(
  seat: Seat,
  rounds: number,
  because: 'becameMaster' | 'masterDelay' | 'refresh' | 'lowerPriority' | 'lowerPriorityDelay',
): void {
  if (rounds <= 0 || seat.instance.vips !== 'present') return;
  act(seat.turn, { kind: 'announce', instance: seat.instance.name, count: rounds, because });
}

/** A state that was told already is not told again. */
function notify(seat: Seat, state: NotifiedState): void {
  const { instance, turn } = seat;
  if (instance.notified === state) return;
  instance.notified = state;
  const priority = instance.effectivePriority;
  act(turn, { kind: 'notify', instance: instance.name, state, priority });
}

/** Common to all ways that do not lead to MASTER; also right for those who never were MASTER. */
function leaveMaster(seat: Seat, to: StateName, because: string): void {
  const { instance, turn } = seat;
  const wasMaster = instance.state === 'MASTER';
  changeState(seat, to, because);
  instance.wantsMaster = false;
  instance.weakerMaster = undefined;
  instance.preemptDelay = 'idle';
  instance.drainingFor = undefined;
  if (!wasMaster) return;
  count(seat, 'release_master');
  stopTimer(seat, 'advert');
  stopTimer(seat, 'garpDelay');
  stopTimer(seat, 'garpLowerPriority');
  instance.vips = 'absent';
  instance.nextRefresh = undefined;
  act(turn, { kind: 'cancelAnnouncements', instance: instance.name });
  act(turn, { kind: 'removeVips', instance: instance.name });
}

function changeState(seat: Seat, to: StateName, because: string): void {
  const { instance, turn } = seat;
  const from = instance.state;
  instance.because = because;
  if (from === to) return;
  instance.state = to;
  instance.since = turn.at;
  act(turn, { kind: 'transition', instance: instance.name, from, to, because });
}
