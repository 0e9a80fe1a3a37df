/**
 * One step while it is being worked out: drafts of the states it touches and the actions so far.
 * Drafts never leave this room; `endStep` gives immutable values back, and what was not touched is
 * shared.
 */
import { BugError } from '../../base/errors.js';
import { addTime, microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { UnitAction } from './actions.js';
import type { CounterName } from './counters.js';
import type { TimerName } from './events.js';
import { noteProblem, type Finding } from './advertProblems.js';
import type { InstanceSettings } from '../settings.js';
import type { InstanceState, UnitSettings, UnitState } from './state.js';
import { preparationLead } from './timing.js';

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A member of the unit in this step. */
export interface MemberDraft {
  readonly step: StepDraft;
  readonly settings: InstanceSettings;
  readonly instance: Draft<InstanceState>;
}

export interface StepDraft {
  readonly at: Microseconds;
  readonly settings: UnitSettings;
  readonly unit: Draft<UnitState>;
  readonly actions: UnitAction[];
  /** Drafts taken so far, by instance name. */
  readonly drafts: Map<string, MemberDraft>;
}

export function beginStep(state: UnitState, at: Microseconds, settings: UnitSettings): StepDraft {
  return { at, settings, unit: { ...state }, actions: [], drafts: new Map() };
}

export function endStep(step: StepDraft): { state: UnitState; actions: readonly UnitAction[] } {
  if (step.drafts.size > 0) {
    const members = { ...step.unit.members };
    for (const [name, member] of step.drafts) members[name] = member.instance;
    step.unit.members = members;
  }
  return { state: step.unit, actions: step.actions };
}

/** undefined where the unit has no such member (an event that was on its way during a reload). */
export function findMember(step: StepDraft, name: string): MemberDraft | undefined {
  const known = step.drafts.get(name);
  if (known !== undefined) return known;
  const settings = step.settings.members.find((one) => one.name === name);
  const instance = step.unit.members[name];
  if (settings === undefined || instance === undefined) return undefined;
  const member: MemberDraft = { step, settings, instance: { ...instance } };
  step.drafts.set(name, member);
  return member;
}

/** All members in configured order, `first` in front of them if given. */
export function allMembers(step: StepDraft, first?: MemberDraft): readonly MemberDraft[] {
  const members = step.settings.members.map(({ name }) => {
    const member = findMember(step, name);
    if (member === undefined) throw new BugError('member without state', { instance: name });
    return member;
  });
  return first === undefined ? members : [first, ...members.filter((member) => member !== first)];
}

export function act(step: StepDraft, action: UnitAction): void {
  step.actions.push(action);
}

/** Due at the event's time + `duration`; replaces a running timer of that name. */
export function startTimer(member: MemberDraft, timer: TimerName, duration: Microseconds): void {
  const { instance, step } = member;
  instance.timers = { ...instance.timers, [timer]: addTime(step.at, duration) };
  act(step, { kind: 'startTimer', instance: instance.name, timer, duration });
}

/** Says nothing where the timer does not run. */
export function stopTimer(member: MemberDraft, timer: TimerName): void {
  const { instance, step } = member;
  if (instance.timers[timer] === undefined) return;
  forgetTimer(member, timer);
  act(step, { kind: 'stopTimer', instance: instance.name, timer });
}

/** The timer fired: it runs no more. */
export function forgetTimer(member: MemberDraft, timer: TimerName): void {
  const running = Object.entries(member.instance.timers).filter(([name]) => name !== timer);
  member.instance.timers = Object.fromEntries(running);
}

/**
 * Never before the start-up delay is over. A master that was heard can fall silent: that is noticed
 * earlier.
 */
export function startMasterDownTimer(member: MemberDraft, duration: Microseconds): void {
  const { instance, step } = member;
  const wait = Math.max(duration, subtractTime(instance.quietUntil, step.at));
  startTimer(member, 'masterDown', microseconds(wait));
  if (!step.settings.commitBeforeVip) return;
  if (instance.master === undefined && instance.weakerMaster === undefined) return;
  startTimer(member, 'masterSilent', microseconds(Math.max(0, wait - preparationLead(instance))));
}

export function stopMasterDownTimer(member: MemberDraft): void {
  stopTimer(member, 'masterDown');
  stopTimer(member, 'masterSilent');
}

export function count(member: MemberDraft, counter: CounterName): void {
  const { counters } = member.instance;
  member.instance.counters = { ...counters, [counter]: counters[counter] + 1 };
}

/**
 * Counts it, keeps it for status, and gives it to the log if it was not there within the last
 * minute.
 */
export function complain(member: MemberDraft, finding: Finding): void {
  const { instance, step } = member;
  if (finding.counter !== undefined) count(member, finding.counter);
  const noted = noteProblem(instance.problems, finding, step.at);
  instance.problems = noted.problems;
  if (noted.isNews) {
    act(step, { kind: 'complain', instance: instance.name, problem: noted.problem });
  }
}
