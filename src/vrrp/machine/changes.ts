/** What changes under a running unit: tracking results, source addresses, settings. */
import { microseconds } from '../../base/time.js';
import { enterJoiners, faultOf, settleFaults } from './unitTransitions.js';
import type { Conditions } from './events.js';
import { effectivePriority } from './priority.js';
import { advertise } from './roles.js';
import { initialInstance } from './state.js';
import { masterDownTime, skewTime } from './timing.js';
import {
  act,
  allMembers,
  startMasterDownTimer,
  startTimer,
  type MemberDraft,
  type StepDraft,
} from './draft.js';

/**
 * Takes over `conditions` and the priority that follows from them; faults are settled by the
 * caller.
 */
export function changeConditions(member: MemberDraft, conditions: Conditions): void {
  member.instance.conditions = conditions;
  member.instance.hasConditions = true;
  applyPriority(member);
}

/** Settings are new; what runs goes on with them. */
export function applyReload(step: StepDraft): void {
  matchMembers(step);
  for (const member of allMembers(step)) {
    applyPriority(member);
    applyInterval(member);
  }
  if (!step.unit.isStarted) return;
  enterJoiners(step);
  settleFaults(step, undefined);
  for (const member of allMembers(step)) {
    if (member.instance.state !== 'MASTER') continue;
    // Peers learn the new priority and list without waiting for the old interval.
    advertise(member);
    if (member.instance.vips !== 'present') continue;
    const announceCount = member.settings.garp.masterRepeat;
    act(step, { kind: 'applyVips', instance: member.instance.name, announceCount });
  }
}

/** Those who left were stopped before (`removeMember`); those who came begin in INIT. */
function matchMembers(step: StepDraft): void {
  const { unit, settings, at } = step;
  unit.members = Object.fromEntries(
    settings.members.map((one) => {
      const known = unit.members[one.name];
      return [one.name, known ?? initialInstance(one, at)];
    }),
  );
}

/**
 * A new effective priority is live at once; a waiting BACKUP's timer moves by the difference of the
 * skews.
 */
function applyPriority(member: MemberDraft): void {
  const { instance, settings, step } = member;
  const from = instance.effectivePriority;
  const to = effectivePriority(settings.priority, instance.conditions.contributions);
  if (from === to) return;
  const skewBefore = skewTime(settings, instance);
  instance.effectivePriority = to;
  const state = instance.state;
  if (step.unit.isStarted) {
    act(step, { kind: 'priorityChanged', instance: instance.name, from, to, state });
  }
  const due = instance.timers.masterDown;
  if (due === undefined || faultOf(member) !== undefined) return;
  const left = due - step.at + skewTime(settings, instance) - skewBefore;
  startTimer(member, 'masterDown', microseconds(Math.max(0, left)));
}

/** In v2 the master's interval is by definition our own; a changed one starts the wait anew. */
function applyInterval(member: MemberDraft): void {
  const { instance, settings } = member;
  const isOurs = settings.version === 2 || instance.state === 'MASTER' || instance.state === 'INIT';
  if (!isOurs || instance.masterAdvertInterval === settings.advertInterval) return;
  instance.masterAdvertInterval = settings.advertInterval;
  if (instance.timers.masterDown === undefined) return;
  startMasterDownTimer(member, masterDownTime(settings, instance));
}
