/**
 * One step while it is being worked out: drafts of the states it touches and the actions so far. Drafts
 * never leave this room; `endTurn` gives immutable values back, and what was not touched is shared.
 */
import { BugError } from '../../base/errors.js';
import { addTime, microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { UnitAction } from './actions.js';
import { countOne, type CounterName } from './counters.js';
import type { TimerName } from './events.js';
import { noteProblem, type Finding } from './advertProblems.js';
import type { InstanceSettings } from '../settings.js';
import type { InstanceState, UnitSettings, UnitState } from './state.js';
import { preparationLead } from './timing.js';

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A member of the unit in this step. */
export interface Seat {
  readonly turn: Turn;
  readonly settings: InstanceSettings;
  readonly instance: Draft<InstanceState>;
}

export interface Turn {
  readonly at: Microseconds;
  readonly settings: UnitSettings;
  readonly unit: Draft<UnitState>;
  readonly actions: UnitAction[];
  /** Drafts taken so far, by instance name. */
  readonly seats: Map<string, Seat>;
}

export function beginTurn(state: UnitState, at: Microseconds, settings: UnitSettings): Turn {
  return { at, settings, unit: { ...state }, actions: [], seats: new Map() };
}

export function endTurn(turn: Turn): { state: UnitState; actions: readonly UnitAction[] } {
  if (turn.seats.size > 0) {
    const members = { ...turn.unit.members };
    for (const [name, seat] of turn.seats) members[name] = seat.instance;
    turn.unit.members = members;
  }
  return { state: turn.unit, actions: turn.actions };
}

/** undefined where the unit has no such member (an event that was on its way during a reload). */
export function findSeat(turn: Turn, name: string): Seat | undefined {
  const known = turn.seats.get(name);
  if (known !== undefined) return known;
  const settings = turn.settings.members.find((member) => member.name === name);
  const instance = turn.unit.members[name];
  if (settings === undefined || instance === undefined) return undefined;
  const seat: Seat = { turn, settings, instance: { ...instance } };
  turn.seats.set(name, seat);
  return seat;
}

/** All members in configured order, `first` in front of them if given. */
export function allSeats(turn: Turn, first?: Seat): readonly Seat[] {
  const seats = turn.settings.members.map((member) => {
    const seat = findSeat(turn, member.name);
    if (seat === undefined) throw new BugError('member without state', { instance: member.name });
    return seat;
  });
  return first === undefined ? seats : [first, ...seats.filter((seat) => seat !== first)];
}

export function act(turn: Turn, action: UnitAction): void {
  turn.actions.push(action);
}

/** Due at the event's time + `duration`; replaces a running timer of that name. */
export function startTimer(seat: Seat, timer: TimerName, duration: Microseconds): void {
  const { instance, turn } = seat;
  instance.timers = { ...instance.timers, [timer]: addTime(turn.at, duration) };
  act(turn, { kind: 'startTimer', instance: instance.name, timer, duration });
}

/** Says nothing where the timer does not run. */
export function stopTimer(seat: Seat, timer: TimerName): void {
  const { instance, turn } = seat;
  if (instance.timers[timer] === undefined) return;
  forgetTimer(seat, timer);
  act(turn, { kind: 'stopTimer', instance: instance.name, timer });
}

/** The timer rang: it runs no more. */
export function forgetTimer(seat: Seat, timer: TimerName): void {
  const running = Object.entries(seat.instance.timers).filter(([name]) => name !== timer);
  seat.instance.timers = Object.fromEntries(running);
}

/** Never before the start-up delay is over. A master that was heard can fall silent: that is noticed earlier. */
export function startMasterDownTimer(seat: Seat, duration: Microseconds): void {
  const { instance, turn } = seat;
  const wait = Math.max(duration, subtractTime(instance.quietUntil, turn.at));
  startTimer(seat, 'masterDown', microseconds(wait));
  if (!turn.settings.commitBeforeVip) return;
  if (instance.master === undefined && instance.weakerMaster === undefined) return;
  startTimer(seat, 'masterSilent', microseconds(Math.max(0, wait - preparationLead(instance))));
}

export function stopMasterDownTimer(seat: Seat): void {
  stopTimer(seat, 'masterDown');
  stopTimer(seat, 'masterSilent');
}

export function count(seat: Seat, counter: CounterName): void {
  seat.instance.counters = countOne(seat.instance.counters, counter);
}

/** Counts it, keeps it for status, and gives it to the log if it was not there within the last minute. */
export function complain(seat: Seat, finding: Finding): void {
  const { instance, turn } = seat;
  if (finding.counter !== undefined) count(seat, finding.counter);
  const noted = noteProblem(instance.problems, finding, turn.at);
  instance.problems = noted.problems;
  if (noted.isNews) {
    act(turn, { kind: 'complain', instance: instance.name, problem: noted.problem });
  }
}
