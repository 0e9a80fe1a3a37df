/**
 * How the members of a unit change role together (keepalived 2.2.7's sync groups): MASTER only when each
 * member's own master is silent, BACKUP and FAULT as soon as one of them is. The member that caused it goes
 * first, the others follow in configured order, the group's notification is last. A lone instance is a
 * group of one.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { addTime, subtractTime } from '../../base/time.js';
import type { NotifiedState, StateName, UnitAction } from './actions.js';
import { waitFurther } from './instance.js';
import { isOwner } from './priority.js';
import { enterBackup, enterFault, enterMaster, enterStop, sendAdvert, showVips } from './roles.js';
import { masterDownTime } from './timing.js';
import { act, allSeats, findSeat, type Seat, type Turn } from './draft.js';

/** This member's master is silent. */
export function considerTakeover(seat: Seat): void {
  const { turn, instance } = seat;
  const { unit } = turn;
  if (instance.state !== 'BACKUP') return;
  if (unit.inMaintenance) {
    waitFurther(seat);
    return;
  }
  instance.wantsMaster = true;
  // A member that has just joined, and still waits in INIT, does not keep the others.
  const seats = allSeats(turn, seat).filter((each) => each.instance.state !== 'INIT');
  // The quicker member waits for the slower one and listens on.
  if (!seats.every((each) => each.instance.wantsMaster)) {
    waitFurther(seat);
    return;
  }
  const mustAsk = turn.settings.commitBeforePreempt && unit.preemption !== 'granted';
  const weaker = mustAsk ? findLivingWeaker(seats) : undefined;
  if (weaker?.instance.weakerMaster !== undefined) {
    waitFurther(seat);
    askPreemption(turn, weaker.instance.weakerMaster.address);
    return;
  }
  if (unit.preemption === 'asked') withdrawPreemption(turn, 'the old master is gone');
  takeOver(turn, seats, takeoverText(seat));
}

export interface TakeoverOptions {
  /** After a crash, with the VIPs still in place. */
  readonly isResumed?: boolean;
  /** What the VIPs would wait for was done before. */
  readonly vipsReady?: boolean;
}

/** All members become MASTER, in the order of `seats`. Their advertisements never wait for anything. */
export function takeOver(
  turn: Turn,
  seats: readonly Seat[],
  because: string,
  options: TakeoverOptions = {},
): void {
  const { unit, settings } = turn;
  const isResumed = options.isResumed === true;
  const vipsWait = settings.commitBeforeVip && !isResumed && options.vipsReady !== true;
  const [first, ...others] = seats;
  if (first === undefined) return;
  const areShownTogether = settings.commitBeforeVip && !vipsWait;
  enterMaster(first, because, vipsWait || areShownTogether);
  for (const seat of others) enterMaster(seat, followText(first), vipsWait || areShownTogether);
  if (areShownTogether) showVips(seats);
  unit.preemption = 'free';
  unit.heldBecause = undefined;
  unit.releaseOrder = vipsWait ? seats.map((seat) => seat.instance.name) : [];
  changeRole(turn, 'MASTER', because, { vipsWait, isResumed });
  if (!vipsWait) notifyGroup(turn, 'MASTER');
}

/** The coordinator lets the addresses come up; nothing happens if that role is over. */
export function releaseVips(turn: Turn, epoch: number): void {
  const { unit } = turn;
  if (unit.role !== 'MASTER' || unit.epoch !== epoch || unit.releaseOrder.length === 0) return;
  const order = unit.releaseOrder;
  unit.releaseOrder = [];
  const seats = order.map((name) => findSeat(turn, name)).filter((seat) => seat !== undefined);
  showVips(seats.filter(({ instance }) => instance.vips === 'waiting'));
  notifyGroup(turn, 'MASTER');
}

/** Another router is to be MASTER for `first`: all go BACKUP, silently on the wire. */
export function stepDown(turn: Turn, first: Seat, because: string): void {
  goLive(turn, allSeats(turn, first), because, false, first.instance.master?.address);
}

/** All members become BACKUP; with `saysZero` a MASTER tells its peers that it leaves. */
export function goLive(
  turn: Turn,
  seats: readonly Seat[],
  because: string,
  saysZero: boolean,
  yieldedTo?: IpAddress,
): void {
  const [first] = seats;
  const wasFault = turn.unit.role === 'FAULT';
  for (const seat of seats) {
    const { instance, settings } = seat;
    if (saysZero && instance.state === 'MASTER') sendAdvert(seat, 0);
    if (instance.state !== 'MASTER') instance.masterAdvertInterval = settings.advertInterval;
    enterBackup(seat, seat === first || first === undefined ? because : followText(first));
    if (wasFault && settings.unicastPeers.length > 0) {
      act(turn, { kind: 'announceSource', instance: instance.name });
    }
  }
  turn.unit.releaseOrder = [];
  changeRole(turn, 'BACKUP', because, {
    ...calm,
    ...(yieldedTo === undefined ? {} : { yieldedTo }),
  });
  notifyGroup(turn, 'BACKUP');
}

/**
 * Planned hand-over: priority 0, BACKUP, and no preemption until it is released or the peer is lost.
 */
export function resign(turn: Turn, because: string): void {
  if (turn.unit.role === 'MASTER') goLive(turn, allSeats(turn), because, true);
  holdPreemption(turn, because);
}

/**
 * Priority 0 of a node that was MASTER before it crashed and has not resumed: who still counts the silence takes over
 * after its skew time. Who was heard as MASTER since has nothing to be told. Where one exists and was not heard, nothing
 * is lost: it answers at once (RFC 3768 section 6.4.3), which sets every waiting router back to a whole master-down time.
 */
export function sayGoodbye(turn: Turn): void {
  if (turn.unit.role === 'MASTER') return;
  const seats = allSeats(turn);
  const isHeard = ({ instance }: Seat): boolean =>
    instance.master !== undefined || instance.weakerMaster !== undefined;
  if (seats.some(isHeard)) return;
  for (const seat of seats) {
    if (seat.instance.conditions.sourceAddress !== undefined) sendAdvert(seat, 0);
  }
}

/** From now on a weaker master counts like any other; the one that was to be replaced, at once. */
export function holdPreemption(turn: Turn, because: string): void {
  respectWeaker(turn, because);
  turn.unit.preemption = 'held';
  turn.unit.heldBecause = because;
}

/** No preemption is on its way any more: the silence of a weaker master is waited for anew. */
export function respectWeaker(turn: Turn, because: string): void {
  withdrawPreemption(turn, because);
  for (const seat of allSeats(turn)) {
    const { instance } = seat;
    if (instance.state !== 'BACKUP' || instance.weakerMaster === undefined) continue;
    instance.master = instance.weakerMaster;
    instance.weakerMaster = undefined;
    instance.wantsMaster = false;
    instance.drainingFor = undefined;
    waitFurther(seat);
  }
}

/** The grant for a wish to preempt. */
export function preempt(turn: Turn): void {
  const seats = allSeats(turn);
  const [first] = seats;
  const weaker = findLivingWeaker(seats) ?? first;
  takeOver(turn, seats, weaker === undefined ? 'preempts' : takeoverText(weaker));
}

/** The wish to preempt, if there is one, is over without an answer. */
export function withdrawPreemption(turn: Turn, because: string): void {
  const { unit, settings } = turn;
  if (unit.preemption !== 'asked' && unit.preemption !== 'granted') return;
  unit.preemption = 'free';
  for (const seat of allSeats(turn)) seat.instance.wantsMaster = false;
  act(turn, { kind: 'preemptionWithdrawn', unit: settings.name, epoch: unit.epoch, because });
}

/**
 * Brings the unit where the faults of its members say: FAULT with the first fault, out of it when no member
 * has one left, out of INIT when nothing is awaited either. `changed` is the member with the news.
 */
export function settleFaults(turn: Turn, changed: Seat | undefined, resumeMaster = false): void {
  const { unit } = turn;
  const seats = allSeats(turn, changed);
  const faulty = seats.filter((seat) => faultOf(seat) !== undefined);
  if (faulty.length > 0) {
    enterFaults(turn, seats, faulty);
    return;
  }
  if (unit.role !== 'INIT' && unit.role !== 'FAULT') return;
  if (resumeMaster && !unit.inMaintenance) {
    takeOver(turn, seats, 'resumes after a crash', { isResumed: true });
    return;
  }
  if (unit.role === 'INIT' && seats.some(isWaiting)) return;
  if (unit.role === 'FAULT') {
    const ready = seats.filter((seat) => seat.instance.state !== 'INIT' || !isWaiting(seat));
    goLive(turn, ready, 'no fault is left', false);
    return;
  }
  enterFirstRole(turn, seats);
}

/**
 * After a reload changed who belongs to the unit: a member that is new here takes part in the role that the
 * others have, once its conditions are known; and a MASTER among others that are not steps down.
 */
export function enterJoiners(turn: Turn): void {
  const { unit } = turn;
  if (allSeats(turn).some((seat) => faultOf(seat) !== undefined)) return;
  for (const seat of allSeats(turn)) {
    const { state } = seat.instance;
    if (state === unit.role || (state === 'INIT' && isWaiting(seat))) continue;
    if (unit.role === 'MASTER') enterMaster(seat, joinText(turn), unit.releaseOrder.length > 0);
    else if (unit.role === 'BACKUP') {
      if (state === 'MASTER') sendAdvert(seat, 0);
      enterBackup(seat, joinText(turn));
    }
  }
}

/** The end of the unit. Instances are told first, then the group. */
export function stopUnit(turn: Turn, because: 'STOP' | 'DELETED'): void {
  withdrawPreemption(turn, 'stops');
  for (const seat of allSeats(turn)) enterStop(seat, because);
  turn.unit.isStarted = false;
  turn.unit.releaseOrder = [];
  changeRole(turn, 'INIT', because === 'STOP' ? 'stopped' : 'removed from the configuration');
  notifyGroup(turn, because);
}

/** undefined: nothing stands against this member taking part. */
export function faultOf({ instance, settings }: Seat): string | undefined {
  if (!instance.hasConditions) return undefined;
  const { faults, sourceAddress } = instance.conditions;
  if (faults[0] !== undefined) return faults[0];
  if (sourceAddress !== undefined) return undefined;
  const wanted = settings.family === 4 ? 'IPv4 address' : 'IPv6 link-local address';
  return `no ${wanted} on ${settings.interfaceName}`;
}

/**
 * From INIT. Only address owners become MASTER at once (RFC 3768 section 6.4.1), all members of a group or
 * none; here the group is told first, as keepalived does at start.
 */
function enterFirstRole(turn: Turn, seats: readonly Seat[]): void {
  const quiet = seats.some((seat) => seat.instance.quietUntil > turn.at);
  const areOwners = seats.every(
    ({ settings }) => isOwner(settings.priority) && settings.initialState === 'MASTER',
  );
  if (areOwners && !quiet && !turn.unit.inMaintenance) {
    takeOver(turn, seats, 'owns the addresses');
    return;
  }
  notifyGroup(turn, 'BACKUP');
  for (const seat of seats) delayFirstTakeover(seat);
  changeRole(turn, 'BACKUP', 'start');
}

/** `vrrp_startup_delay`: a full master-down time, counted from the end of the delay. */
function delayFirstTakeover(seat: Seat): void {
  const { instance, settings, turn } = seat;
  const quietUntil = instance.quietUntil;
  if (quietUntil > turn.at) {
    instance.quietUntil = addTime(quietUntil, masterDownTime(settings, instance));
  }
  enterBackup(seat, 'start');
  instance.quietUntil = quietUntil;
}

function enterFaults(turn: Turn, seats: readonly Seat[], faulty: readonly Seat[]): void {
  const { unit } = turn;
  const [cause] = faulty;
  if (cause === undefined) return;
  const because = memberText(cause, faultOf(cause) ?? '');
  if (unit.role === 'INIT') notifyGroup(turn, 'FAULT');
  const order = [cause, ...seats.filter((seat) => seat !== cause)];
  for (const seat of order) {
    const own = faultOf(seat);
    if (seat.instance.state !== 'FAULT') enterFault(seat, own ?? because, own !== undefined);
    else seat.instance.because = own ?? because;
  }
  withdrawPreemption(turn, because);
  unit.releaseOrder = [];
  changeRole(turn, 'FAULT', because);
  notifyGroup(turn, 'FAULT');
}

function askPreemption(turn: Turn, from: IpAddress): void {
  const { unit, settings } = turn;
  if (unit.preemption === 'asked') return;
  unit.preemption = 'asked';
  unit.epoch += 1;
  act(turn, { kind: 'preemptionWanted', unit: settings.name, epoch: unit.epoch, from });
}

/** A member whose weaker master was heard within the time that a master may be silent. */
function findLivingWeaker(seats: readonly Seat[]): Seat | undefined {
  return seats.find(({ instance, settings, turn }) => {
    const weaker = instance.weakerMaster;
    if (weaker === undefined) return false;
    return subtractTime(turn.at, weaker.lastHeard) < masterDownTime(settings, instance);
  });
}

type RoleFlags = Pick<
  Extract<UnitAction, { kind: 'roleChanged' }>,
  'vipsWait' | 'isResumed' | 'yieldedTo'
>;

const calm: RoleFlags = { vipsWait: false, isResumed: false };

function changeRole(turn: Turn, to: StateName, because: string, flags: RoleFlags = calm): void {
  const { unit, settings } = turn;
  const from = unit.role;
  unit.because = because;
  if (from === to) return;
  unit.role = to;
  unit.since = turn.at;
  unit.epoch += 1;
  const { epoch } = unit;
  act(turn, { kind: 'roleChanged', unit: settings.name, from, to, because, epoch, ...flags });
}

function notifyGroup(turn: Turn, state: NotifiedState): void {
  const { unit, settings } = turn;
  if (!settings.isGroup || unit.notified === state) return;
  unit.notified = state;
  act(turn, { kind: 'notifyGroup', unit: settings.name, state });
}

function takeoverText({ instance, turn, settings }: Seat): string {
  const weaker = instance.weakerMaster;
  const isAlive =
    weaker !== undefined &&
    subtractTime(turn.at, weaker.lastHeard) < masterDownTime(settings, instance);
  if (isAlive) return `preempts ${formatIp(weaker.address)} of priority ${weaker.priority}`;
  const master = instance.master;
  if (master === undefined) return 'no master was heard';
  if (master.priority === 0) return `${formatIp(master.address)} gave up the role`;
  return `no advertisement from ${formatIp(master.address)} in time`;
}

function followText(first: Seat): string {
  return `follows ${first.instance.name} in group ${first.turn.settings.name}`;
}

/** Held in INIT: something has not reported yet. */
function isWaiting({ instance }: Seat): boolean {
  return !instance.hasConditions || instance.conditions.awaiting.length > 0;
}

function joinText(turn: Turn): string {
  return `joins ${turn.settings.name}`;
}

function memberText({ instance, turn }: Seat, text: string): string {
  return turn.settings.isGroup ? `${instance.name}: ${text}` : text;
}
