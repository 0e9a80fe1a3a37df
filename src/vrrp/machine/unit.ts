/**
 * The pure machine's front door: one step of a unit, that is of a sync group with all its members, or of a
 * lone instance. Members of a group change role within the same step, so they never disagree for longer
 * than one event. How the members move together: coupling.ts; what one makes of an event: machine.ts.
 */
import { unreachable } from '../../base/errors.js';
import { addTime } from '../../base/time.js';
import type { UnitAction } from './actions.js';
import { applyReload, changeConditions } from './changes.js';
import {
  considerTakeover,
  enterJoiners,
  goLive,
  holdPreemption,
  preempt,
  releaseVips,
  resign,
  respectWeaker,
  sayGoodbye,
  settleFaults,
  stepDown,
  stopUnit,
  takeOver,
  withdrawPreemption,
} from './unitTransitions.js';
import type { UnitEvent } from './events.js';
import { drained, listenBeforePreempt, receive, ring, type RoleRequest } from './instance.js';
import { enterStop } from './roles.js';
import { considerPreparation } from './prepareTakeover.js';
import type { UnitSettings, UnitState } from './state.js';
import { allSeats, beginTurn, endTurn, findSeat, type Seat, type Turn } from './draft.js';

export interface UnitStep {
  readonly state: UnitState;
  /** To be carried out in this order. */
  readonly actions: readonly UnitAction[];
}

/**
 * Pure. `settings` may differ from those of the step before only where `event` is `reload`. Events for
 * names that are no members, stale timers and stale answers change nothing.
 */
export function unitStep(state: UnitState, event: UnitEvent, settings: UnitSettings): UnitStep {
  const turn = beginTurn(state, event.at, settings);
  switch (event.kind) {
    case 'datagram':
    case 'timer':
    case 'drained':
    case 'conditions':
    case 'removeMember':
      stepMember(turn, event);
      break;
    default:
      stepWhole(turn, event);
  }
  return endTurn(turn);
}

type MemberEvent = Extract<UnitEvent, { readonly instance: string }>;
type WholeEvent = Exclude<UnitEvent, MemberEvent>;

function stepMember(turn: Turn, event: MemberEvent): void {
  const seat = findSeat(turn, event.instance);
  if (seat === undefined) return;
  switch (event.kind) {
    case 'datagram':
      grant(seat, receive(seat, event.datagram));
      break;
    case 'timer':
      grant(seat, ring(seat, event.timer, event.due));
      break;
    case 'drained':
      grant(seat, drained(seat));
      break;
    case 'conditions':
      changeConditions(seat, event.conditions);
      if (turn.unit.isStarted) settle(seat);
      break;
    case 'removeMember':
      enterStop(seat, 'DELETED');
  }
}

function settle(seat: Seat): void {
  const { turn } = seat;
  settleFaults(turn, seat);
  if (seat.instance.state === 'INIT' && turn.unit.role !== 'INIT') enterJoiners(turn);
}

function stepWhole(turn: Turn, event: WholeEvent): void {
  switch (event.kind) {
    case 'start':
      start(turn, event.resumeMaster);
      break;
    case 'goodbye':
      sayGoodbye(turn);
      break;
    case 'vipsReleased':
      releaseVips(turn, event.epoch);
      break;
    case 'preemptionGranted':
      grantPreemption(turn, event.epoch);
      break;
    case 'preemptionRefused':
      if (turn.unit.preemption === 'asked' && turn.unit.epoch === event.epoch) {
        holdPreemption(turn, event.because);
      }
      break;
    case 'resign':
      resign(turn, event.because);
      break;
    case 'assumeRole':
      assumeRole(turn, event);
      break;
    case 'holdPreemption':
      holdPreemption(turn, event.because);
      break;
    case 'releasePreemption':
      releasePreemption(turn);
      break;
    case 'maintenance':
      setMaintenance(turn, event.on);
      break;
    case 'reload':
      applyReload(turn);
      break;
    case 'stop':
      stopUnit(turn, event.because);
      break;
    default:
      unreachable(event);
  }
}

function grant(seat: Seat, request: RoleRequest | undefined): void {
  switch (request?.kind) {
    case undefined:
      break;
    case 'takeover':
      considerTakeover(seat);
      break;
    case 'prepare':
      considerPreparation(seat);
      break;
    case 'preempt':
      preempt(seat.turn);
      break;
    case 'stepDown':
      stepDown(seat.turn, seat, request.because);
      break;
    case 'content':
      withdrawPreemption(seat.turn, request.because);
      break;
  }
}

function start(turn: Turn, resumeMaster: boolean): void {
  const { unit, settings } = turn;
  if (unit.isStarted) return;
  unit.isStarted = true;
  for (const { instance } of allSeats(turn)) {
    instance.quietUntil = addTime(turn.at, settings.startupDelay);
  }
  settleFaults(turn, undefined, resumeMaster);
}

function grantPreemption(turn: Turn, epoch: number): void {
  const { unit } = turn;
  if (unit.preemption !== 'asked' || unit.epoch !== epoch) return;
  unit.preemption = 'granted';
  listenBeforePreempt(turn);
}

function releasePreemption({ unit }: Turn): void {
  if (unit.preemption !== 'held') return;
  unit.preemption = 'free';
  unit.heldBecause = undefined;
}

/** The old MASTER has just resigned in our favour: nobody needs to be waited for. */
function assumeRole(turn: Turn, event: Extract<UnitEvent, { kind: 'assumeRole' }>): void {
  if (turn.unit.role !== 'BACKUP' || turn.unit.inMaintenance) return;
  withdrawPreemption(turn, event.because);
  takeOver(turn, allSeats(turn), event.because, { vipsReady: event.vipsCommitted });
}

function setMaintenance(turn: Turn, on: boolean): void {
  const { unit } = turn;
  if (unit.inMaintenance === on) return;
  unit.inMaintenance = on;
  if (on && unit.role === 'MASTER') goLive(turn, allSeats(turn), 'maintenance', true);
  else if (on) respectWeaker(turn, 'maintenance');
}
