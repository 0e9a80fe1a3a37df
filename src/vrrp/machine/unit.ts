/**
 * The pure machine's front door: one step of a unit, that is of a sync group with all its members,
 * or of a lone instance. Members of a group change role within the same step, so they never
 * disagree for longer than one event. How the members move together: unitTransitions.ts; what one
 * makes of an event: instance.ts.
 */
import { addTime } from '../../base/time.js';
import type { UnitAction } from './actions.js';
import { applyReload, changeConditions } from './changes.js';
import {
  considerTakeover,
  enterJoiners,
  enterBackupTogether,
  holdPreemption,
  preempt,
  releaseVips,
  resign,
  followLowerPriorityMaster,
  sayGoodbye,
  settleFaults,
  stepDown,
  stopUnit,
  takeOver,
  withdrawPreemption,
} from './unitTransitions.js';
import type { UnitEvent } from './events.js';
import { drained, listenBeforePreempt, receive, timerFired, type RoleRequest } from './instance.js';
import { enterStop } from './roles.js';
import { considerPreparation } from './prepareTakeover.js';
import type { UnitSettings, UnitState } from './state.js';
import {
  allMembers,
  beginStep,
  endStep,
  findMember,
  type MemberDraft,
  type StepDraft,
} from './draft.js';

export interface UnitStep {
  readonly state: UnitState;
  /** To be carried out in this order. */
  readonly actions: readonly UnitAction[];
}

/**
 * Pure. `settings` may differ from those of the step before only where `event` is `reload`. Events
 * for names that are no members, stale timers and stale answers change nothing.
 */
export function unitStep(state: UnitState, event: UnitEvent, settings: UnitSettings): UnitStep {
  const step = beginStep(state, event.at, settings);
  // The table's type pairs each kind with its event; TypeScript cannot follow the pairing through
  // the index.
  const handle = handlers[event.kind] as (step: StepDraft, event: UnitEvent) => void;
  handle(step, event);
  return endStep(step);
}

type Handlers = {
  readonly [Kind in UnitEvent['kind']]: (
    step: StepDraft,
    event: Extract<UnitEvent, { kind: Kind }>,
  ) => void;
};

const handlers: Handlers = {
  datagram: (step, { instance, datagram, proof }) =>
    withMember(step, instance, (member) => grant(member, receive(member, datagram, proof))),
  timer: (step, { instance, timer, due }) =>
    withMember(step, instance, (member) => grant(member, timerFired(member, timer, due))),
  drained: (step, { instance }) =>
    withMember(step, instance, (member) => grant(member, drained(member))),
  conditions: (step, { instance, conditions }) =>
    withMember(step, instance, (member) => {
      changeConditions(member, conditions);
      if (step.unit.isStarted) settle(member);
    }),
  removeMember: (step, { instance }) =>
    withMember(step, instance, (member) => enterStop(member, 'DELETED')),
  start: (step, { resumeMaster }) => start(step, resumeMaster),
  goodbye: sayGoodbye,
  vipsReleased: (step, { epoch }) => releaseVips(step, epoch),
  preemptionGranted: (step, { epoch }) => grantPreemption(step, epoch),
  preemptionRefused: (step, { epoch, because }) => {
    if (step.unit.preemption === 'asked' && step.unit.epoch === epoch) {
      holdPreemption(step, because);
    }
  },
  resign: (step, { because }) => resign(step, because),
  assumeRole,
  holdPreemption: (step, { because }) => holdPreemption(step, because),
  releasePreemption,
  maintenance: (step, { on }) => setMaintenance(step, on),
  reload: applyReload,
  stop: (step, { because }) => stopUnit(step, because),
};

/**
 * Whether the machine of this version knows events of that kind: a recording may be of another one.
 */
export function isEventKind(kind: string): kind is UnitEvent['kind'] {
  return Object.hasOwn(handlers, kind);
}

/** Nothing happens where the unit has no such member. */
function withMember(step: StepDraft, name: string, work: (member: MemberDraft) => void): void {
  const member = findMember(step, name);
  if (member !== undefined) work(member);
}

function settle(member: MemberDraft): void {
  const { step } = member;
  settleFaults(step, member);
  if (member.instance.state === 'INIT' && step.unit.role !== 'INIT') enterJoiners(step);
}

function grant(member: MemberDraft, request: RoleRequest | undefined): void {
  switch (request?.kind) {
    case undefined:
      break;
    case 'takeover':
      considerTakeover(member);
      break;
    case 'prepare':
      considerPreparation(member);
      break;
    case 'preempt':
      preempt(member.step);
      break;
    case 'stepDown':
      stepDown(member.step, member, request.because);
      break;
    case 'stayBackup':
      withdrawPreemption(member.step, request.because);
      break;
  }
}

function start(step: StepDraft, resumeMaster: boolean): void {
  const { unit, settings } = step;
  if (unit.isStarted) return;
  unit.isStarted = true;
  for (const { instance } of allMembers(step)) {
    instance.quietUntil = addTime(step.at, settings.startupDelay);
  }
  settleFaults(step, undefined, resumeMaster);
}

function grantPreemption(step: StepDraft, epoch: number): void {
  const { unit } = step;
  if (unit.preemption !== 'asked' || unit.epoch !== epoch) return;
  unit.preemption = 'granted';
  listenBeforePreempt(step);
}

function releasePreemption({ unit }: StepDraft): void {
  if (unit.preemption !== 'held') return;
  unit.preemption = 'free';
  unit.heldBecause = undefined;
}

/** The old MASTER has just resigned in our favour: nobody needs to be waited for. */
function assumeRole(step: StepDraft, event: Extract<UnitEvent, { kind: 'assumeRole' }>): void {
  if (step.unit.role !== 'BACKUP' || step.unit.inMaintenance) return;
  withdrawPreemption(step, event.because);
  takeOver(step, allMembers(step), event.because, { vipsReady: event.vipsCommitted });
}

function setMaintenance(step: StepDraft, on: boolean): void {
  const { unit } = step;
  if (unit.inMaintenance === on) return;
  unit.inMaintenance = on;
  if (on && unit.role === 'MASTER')
    enterBackupTogether(step, allMembers(step), 'maintenance', true);
  else if (on) followLowerPriorityMaster(step, 'maintenance');
}
