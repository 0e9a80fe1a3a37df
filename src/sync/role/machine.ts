/**
 * The third place of this daemon where roles are decided, pure as the other two (src/vrrp/machine,
 * src/coordinator): what the sync worker does about its role, in which order, and what must have
 * ended before. Nothing here reads a clock or touches the kernel; runner.ts carries the actions out
 * and feeds the reports back.
 */
import { extend, logLine, type RoleStep } from './roleActions.js';
import type { RoleEvent, RoleTimer } from './roleEvents.js';
import {
  becomeBackup,
  becomeFault,
  hasLeft,
  leftoversRead,
  stepDownAnswered,
  takenBack,
  undo,
  undone,
  undoPreCommit,
} from './leaving.js';
import {
  followed,
  followedEnough,
  mergeAfterSplit,
  mergeBroke,
  mergeCompared,
  mergeFails,
  mergePassed,
  mergeProgress,
  tableArrived,
  tableIsLate,
  windowsOpened,
} from './merging.js';
import {
  cancelPurge,
  considerPurge,
  masterHeard,
  purgeEnded,
  purgeIsDue,
  releasePurge,
  schedulePurge,
} from './purging.js';
import { closed, engineStarted, restartWanted } from './resuming.js';
import type { Next, RoleSettings, RoleState } from './roleState.js';
import {
  becomeMaster,
  commitAhead,
  commitFailed,
  commitNow,
  commitProgress,
  committed,
  complete,
  completed,
  preCommit,
  takeoverComplete,
} from './taking.js';

type EventOf<Kind extends RoleEvent['kind']> = Extract<RoleEvent, { kind: Kind }>;

type Handlers = {
  readonly [Kind in RoleEvent['kind']]: (
    step: RoleStep,
    event: EventOf<Kind>,
    settings: RoleSettings,
  ) => RoleStep;
};

const handlers: Handlers = {
  preCommit,
  undoPreCommit,
  becomeMaster,
  takeoverComplete,
  becomeBackup,
  becomeFault,
  otherMasterHeard: (step, { epoch }) => (epoch < step.state.epoch ? step : masterHeard(step)),
  mergeAfterSplit: (step, event, settings) =>
    event.epoch < step.state.epoch ? step : mergeAfterSplit(step, event, settings),
  yieldIgnored: (step) => extend(step, {}, { kind: 'answerNotice' }),
  yieldUnproven: (step) => extend(step, {}, { kind: 'abandonNotice' }),
  wasMaster: (step, { until }) =>
    extend(step, { masterUntil: until }, { kind: 'sayWasMaster', until }),
  stopped,
  commitProgress,
  committed,
  commitFailed,
  undone,
  resynced,
  leftoversRead,
  purgeEnded,
  windowsOpened,
  mergeProgress,
  mergePassed,
  mergeBroke,
  followFailed: (step, { because }) =>
    step.state.following === 'merge'
      ? mergeFails(extend(step, { following: 'none' }), because)
      : step,
  followed,
  peer: (step, { at, isKeepstate, ability, isCaughtUp }, settings) => {
    const known = extend(step, { peer: { isKeepstate, ability, isCaughtUp } });
    const arrived = isCaughtUp ? tableArrived(known, at, settings) : known;
    return considerPurge(arrived);
  },
  stepDownAnswered,
  purgeAsked: (step, { at }, { purgeTimeout }) => schedulePurge(step, at, purgeTimeout, false),
  purgeForgotten: (step) => cancelPurge(step),
  timer: (step, event, settings) => timers[event.timer](step, event, settings),
  restartWanted,
  closed,
  engineStarted,
};

const timers: Readonly<Record<RoleTimer, Handlers['timer']>> = {
  purge: (step) => purgeIsDue(step),
  purgeHold: (step) => releasePurge(step),
  mergeTable: tableIsLate,
  mergeFollow: (step) => followedEnough(step),
};

type NextHandlers = {
  readonly [To in Next['to']]: (
    step: RoleStep,
    next: Extract<Next, { to: To }>,
    at: RoleEvent['at'],
    settings: RoleSettings,
  ) => RoleStep;
};

const nexts: NextHandlers = {
  commitAhead: (step, next, _at, settings) => commitAhead(step, next, settings),
  commitForRole: (step, _next, _at, settings) => commitNow(step, settings),
  undo: (step, _next, at, settings) => undo(step, at, settings),
  leave: hasLeft,
  complete: (step, next, _at, settings) => complete(step, next, settings),
};

/** Nothing of an earlier command touches the kernel any more: the last one goes on. */
function stopped(
  step: RoleStep,
  { at, work }: EventOf<'stopped'>,
  settings: RoleSettings,
): RoleStep {
  const { course } = step.state;
  if (course.stage !== 'stopping' || course.work !== work) return step;
  // The table's type pairs each end with its data.
  const goOn = nexts[course.next.to] as (
    step: RoleStep,
    next: Next,
    at: RoleEvent['at'],
    settings: RoleSettings,
  ) => RoleStep;
  const { leaves, next } = course;
  const left = leaves === undefined ? step : hasLeft(step, leaves, at, settings);
  return goOn(left, next, at, settings);
}

function resynced(step: RoleStep, { work, because }: EventOf<'resynced'>): RoleStep {
  const { course, merge } = step.state;
  const failed = logLine('error', 'resync with the kernel failed', { reason: because });
  const seen = because === undefined ? step : extend(step, { hasMissed: true }, failed);
  if (course.stage === 'comparing' && course.work === work) return takenBack(seen);
  if (course.stage === 'completing' && course.work === work) return completed(seen);
  if (merge?.stage === 'following' && merge.work === work) return mergeCompared(seen, because);
  return seen;
}

/** One step. Actions are to be carried out in order. */
export function roleStep(state: RoleState, event: RoleEvent, settings: RoleSettings): RoleStep {
  // The table's type pairs each kind with its event; TypeScript cannot follow the pairing through
  // the index.
  const handle = handlers[event.kind] as (
    step: RoleStep,
    event: RoleEvent,
    settings: RoleSettings,
  ) => RoleStep;
  return handle({ state, actions: [] }, event, settings);
}
