/**
 * The ways from MASTER, and back from a commit in advance: what is to be removed here is left to
 * the purge, and no more of it than the other MASTER has.
 */
import { addTime, subtractTime } from '../../base/time.js';
import { begin, extend, logLine, withStance, type RoleStep } from './roleActions.js';
import {
  cancelPurge,
  considerPurge,
  holdPurge,
  masterHeard,
  mergeTimeout,
  releasePurge,
  schedulePurge,
} from './purging.js';
import type { RoleEvent } from './roleEvents.js';
import type { Next, RoleSettings } from './roleState.js';
import { newEpoch, stopFollowing, stopThen } from './taking.js';

type EventOf<Kind extends RoleEvent['kind']> = Extract<RoleEvent, { kind: Kind }>;

export function becomeBackup(
  step: RoleStep,
  { at, epoch, peerHeard, stepDown }: EventOf<'becomeBackup'>,
): RoleStep {
  const next: Next = {
    ...{ to: 'leave', peerHeard, asksPeer: true },
    ...(stepDown === undefined ? {} : { stepDown }),
  };
  return leave(step, 'BACKUP', { at, epoch }, next);
}

/** The purge alone. */
export function becomeFault(step: RoleStep, { at, epoch }: EventOf<'becomeFault'>): RoleStep {
  return leave(step, 'FAULT', { at, epoch }, { to: 'leave', peerHeard: false, asksPeer: false });
}

function leave(
  step: RoleStep,
  role: 'BACKUP' | 'FAULT',
  { at, epoch }: Pick<EventOf<'becomeFault'>, 'at' | 'epoch'>,
  next: Next,
): RoleStep {
  const { masterSince } = step.state;
  const begun = newEpoch(step, epoch);
  if (begun === undefined) return step;
  const wasMaster = masterSince !== undefined;
  const left = extend(
    begun,
    {
      role,
      masterSince: undefined,
      isComplete: false,
      ...(wasMaster ? { masterUntil: at } : {}),
    },
    { kind: 'endMastership' },
    ...(wasMaster ? [{ kind: 'sayWasMaster', until: at } as const] : []),
    { kind: 'checkContent' },
  );
  // Forgotten now: what is heard of another MASTER while a commit is being ended counts.
  const forgotten = cancelPurge(withStance(left, 'own'));
  return stopThen(stopFollowing(forgotten), next);
}

/** Nothing of the role runs any more. */
export function hasLeft(
  step: RoleStep,
  { peerHeard, asksPeer, stepDown }: Extract<Next, { to: 'leave' }>,
  at: EventOf<'stopped'>['at'],
  { purgeTimeout }: RoleSettings,
): RoleStep {
  const resting = extend(step, { course: { stage: 'rest' } });
  const scheduled = schedulePurge(resting, at, purgeTimeout, true);
  const kept = findMissed(readLeftovers(scheduled));
  const heard = peerHeard ? masterHeard(kept) : kept;
  const told = stepDown === undefined ? heard : gaveWay(heard, stepDown, at);
  if (!asksPeer) return told;
  return extend(told, {}, { kind: 'askForAll', because: 'this node is BACKUP' });
}

function readLeftovers(step: RoleStep): RoleStep {
  return begin(
    step,
    () => ({}),
    (work) => ({ kind: 'readLeftovers', work }),
  );
}

/** A takeover that came to nothing: flows that began during its commit are still to be found. */
function findMissed(step: RoleStep): RoleStep {
  if (!step.state.hasMissed) return step;
  return begin(
    step,
    () => ({ hasMissed: false }),
    (work) => ({ kind: 'resync', work }),
  );
}

/**
 * To a stronger MASTER, which is told so until it answers; where it can answer, the purge waits for
 * that.
 */
function gaveWay(
  step: RoleStep,
  stepDown: NonNullable<Extract<Next, { to: 'leave' }>['stepDown']>,
  at: EventOf<'stopped'>['at'],
): RoleStep {
  const { masterUntil, peer } = step.state;
  const notice = { ...stepDown, endedAt: masterUntil ?? at };
  const told = extend(step, { stepDown: notice }, { kind: 'tellStepDown', notice });
  return peer.isKeepstate ? holdPurge(told, at, addTime(at, mergeTimeout)) : told;
}

export function stepDownAnswered(
  step: RoleStep,
  { merged }: EventOf<'stepDownAnswered'>,
): RoleStep {
  if (step.state.stepDown === undefined) return step;
  const released = releasePurge(extend(step, { stepDown: undefined }));
  return extend(
    released,
    {},
    { kind: 'report', report: { kind: 'yieldAnswered' } },
    ...(merged === undefined
      ? []
      : [{ kind: 'report', report: { kind: 'yieldMerged', ...merged } } as const]),
  );
}

/** The role did not come. Ends early when it does after all. */
export function undoPreCommit(step: RoleStep, { epoch }: EventOf<'undoPreCommit'>): RoleStep {
  // A MASTER takes nothing back: what is in its kernel is its own.
  if (step.state.role === 'MASTER') return step;
  const begun = newEpoch(step, epoch);
  return begun === undefined ? step : undoAhead(begun);
}

/** Followed until the taking back itself looks after what the peer ends. */
export function undoAhead(step: RoleStep): RoleStep {
  const { stance, course, role } = step.state;
  if (stance !== 'committingAhead' || role === 'MASTER') return step;
  const isUndoing =
    (course.stage === 'stopping' && course.next.to === 'undo') ||
    course.stage === 'undoing' ||
    course.stage === 'comparing' ||
    course.stage === 'readingLeftovers';
  return isUndoing ? step : stopThen(step, { to: 'undo' });
}

export function undo(
  step: RoleStep,
  at: EventOf<'stopped'>['at'],
  { internalBypass, injectsDirectly, purgeTimeout }: RoleSettings,
): RoleStep {
  const unfollowed = stopFollowing(step);
  if (internalBypass) {
    // Nobody can tell which flows are this node's own: the purge takes what the other MASTER has in
    // any case.
    const scheduled = masterHeard(schedulePurge(unfollowed, at, purgeTimeout, true));
    return lastStep(scheduled, 'readLeftovers');
  }
  // With DisableExternalCache the peer's flows stand in the kernel anyway.
  if (injectsDirectly) return takenBack(unfollowed);
  return begin(
    unfollowed,
    (work) => ({ course: { stage: 'undoing', work } }),
    (work) => ({ kind: 'undo', work }),
  );
}

export function undone(step: RoleStep, { work, removed, because }: EventOf<'undone'>): RoleStep {
  const { course } = step.state;
  const line =
    because === undefined
      ? logLine('info', 'flows committed in advance were taken back', { removed })
      : logLine('error', 'flows committed in advance could not be taken back', { reason: because });
  const told = extend(step, {}, line);
  if (course.stage !== 'undoing' || course.work !== work) return told;
  if (because !== undefined) return takenBack(told);
  return begin(
    told,
    (number) => ({ course: { stage: 'comparing', work: number }, hasMissed: false }),
    (number) => ({ kind: 'resync', work: number }),
  );
}

/** This node's own work has changed times and ids of what is left over. */
export function takenBack(step: RoleStep): RoleStep {
  return lastStep(withStance(step, 'own'), 'renewLeftovers');
}

function lastStep(step: RoleStep, kind: 'readLeftovers' | 'renewLeftovers'): RoleStep {
  return begin(
    step,
    (work) => ({ course: { stage: 'readingLeftovers', work } }),
    (work) => ({ kind, work }),
  );
}

export function leftoversRead(
  step: RoleStep,
  { work }: EventOf<'leftoversRead'>,
  { internalBypass }: RoleSettings,
): RoleStep {
  const { course } = step.state;
  if (course.stage !== 'readingLeftovers' || course.work !== work) return step;
  const resting = extend(step, { course: { stage: 'rest' } });
  // Until the purge.
  return considerPurge(withStance(resting, internalBypass ? 'leavingAhead' : 'own'));
}

/**
 * Why a step-down is still to be told on an engine that is started afresh, and how long the purge
 * waits.
 */
export function resumeStepDown(step: RoleStep, at: EventOf<'stopped'>['at']): RoleStep {
  const { stepDown } = step.state;
  if (stepDown === undefined) return step;
  const told = extend(step, {}, { kind: 'tellStepDown', notice: stepDown });
  const until = addTime(stepDown.endedAt, mergeTimeout);
  return subtractTime(until, at) > 0 ? holdPurge(told, at, until) : told;
}
