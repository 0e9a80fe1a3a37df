/** What changes under a running unit: tracking results, source addresses, settings. */
import { microseconds } from '../../base/time.js';
import { enterJoiners, faultOf, settleFaults } from './unitTransitions.js';
import type { Conditions } from './events.js';
import { effectivePriority } from './priority.js';
import { advertise } from './roles.js';
import { initialInstance } from './state.js';
import { masterDownTime, skewTime } from './timing.js';
import { act, allSeats, startMasterDownTimer, startTimer, type Seat, type Turn } from './draft.js';

/** Takes over `conditions` and the priority that follows from them; faults are settled by the caller. */
export function changeConditions(seat: Seat, conditions: Conditions): void {
  seat.instance.conditions = conditions;
  seat.instance.hasConditions = true;
  applyPriority(seat);
}

/** Settings are new; what runs goes on with them. */
export function applyReload(turn: Turn): void {
  matchMembers(turn);
  for (const seat of allSeats(turn)) {
    applyPriority(seat);
    applyInterval(seat);
  }
  if (!turn.unit.isStarted) return;
  enterJoiners(turn);
  settleFaults(turn, undefined);
  for (const seat of allSeats(turn)) {
    if (seat.instance.state !== 'MASTER') continue;
    // Peers learn the new priority and list without waiting for the old interval.
    advertise(seat);
    if (seat.instance.vips !== 'present') continue;
    const announceCount = seat.settings.garp.masterRepeat;
    act(turn, { kind: 'applyVips', instance: seat.instance.name, announceCount });
  }
}

/** Those who left were stopped before (`removeMember`); those who came begin in INIT. */
function matchMembers(turn: Turn): void {
  const { unit, settings, at } = turn;
  unit.members = Object.fromEntries(
    settings.members.map((member) => {
      const known = unit.members[member.name];
      return [member.name, known ?? initialInstance(member, at)];
    }),
  );
}

/** A new effective priority is live at once; a waiting BACKUP's timer moves by the difference of the skews. */
function applyPriority(seat: Seat): void {
  const { instance, settings, turn } = seat;
  const from = instance.effectivePriority;
  const to = effectivePriority(settings.priority, instance.conditions.contributions);
  if (from === to) return;
  const skewBefore = skewTime(settings, instance);
  instance.effectivePriority = to;
  const state = instance.state;
  if (turn.unit.isStarted) {
    act(turn, { kind: 'priorityChanged', instance: instance.name, from, to, state });
  }
  const due = instance.timers.masterDown;
  if (due === undefined || faultOf(seat) !== undefined) return;
  const left = due - turn.at + skewTime(settings, instance) - skewBefore;
  startTimer(seat, 'masterDown', microseconds(Math.max(0, left)));
}

/** In v2 the master's interval is by definition our own; a changed one starts the wait anew. */
function applyInterval(seat: Seat): void {
  const { instance, settings } = seat;
  const isOurs = settings.version === 2 || instance.state === 'MASTER' || instance.state === 'INIT';
  if (!isOurs || instance.masterAdvertInterval === settings.advertInterval) return;
  instance.masterAdvertInterval = settings.advertInterval;
  if (instance.timers.masterDown === undefined) return;
  startMasterDownTimer(seat, masterDownTime(settings, instance));
}
