/**
 * The ways to MASTER: a commit in advance, the role's own commit, and the completion of the
 * takeover once the addresses are up. What runs for an earlier command ends first; what one of an
 * older epoch asks for is dropped.
 */
import {
  begin,
  extend,
  logLine,
  report,
  withStance,
  type RoleAction,
  type RoleStep,
} from './roleActions.js';
import { nothingCommitted, type CommitSummary } from '../messages.js';
import { followMerge, forgetMerge } from './merging.js';
import { cancelPurge, considerPurge, suspendPurge } from './purging.js';
import type { RoleEvent } from './roleEvents.js';
import type { Course, Leaving, Next, RoleSettings } from './roleState.js';

type EventOf<Kind extends RoleEvent['kind']> = Extract<RoleEvent, { kind: Kind }>;

/** Undefined where a newer role was begun before. */
export function newEpoch(step: RoleStep, epoch: number): RoleStep | undefined {
  if (epoch < step.state.epoch) return undefined;
  return extend(forgetMerge(extend(step, { epoch })), {}, { kind: 'abandonNotice' });
}

/**
 * `next` follows when nothing of an earlier command touches the kernel any more. A role that was
 * left before is left in any case, unless this node is MASTER again.
 */
export function stopThen(step: RoleStep, next: Next): RoleStep {
  const { course, role } = step.state;
  const pending = next.to === 'leave' || role === 'MASTER' ? undefined : pendingLeave(course);
  const leaves = pending === undefined ? {} : { leaves: pending };
  return begin(
    step,
    (work) => ({ course: { stage: 'stopping', work, next, ...leaves } }),
    (work) => ({ kind: 'stop', work }),
  );
}

/** What is still to be done about a role that was left. */
export function pendingLeave(course: Course): Leaving | undefined {
  if (course.stage !== 'stopping') return undefined;
  return course.next.to === 'leave' ? course.next : course.leaves;
}

/** Commits and keeps following; a becomeMaster with `preCommitted` completes it. */
export function preCommit(step: RoleStep, { epoch }: EventOf<'preCommit'>): RoleStep {
  const begun = newEpoch(step, epoch);
  if (begun === undefined) return step;
  // A purge between this commit and the role would remove what was committed, and what is committed
  // is not this node's yet: the peer is not to hear of it, nor to miss it.
  const ahead = withStance(suspendPurge(begun), 'committingAhead');
  return stopThen(ahead, { to: 'commitAhead', isAwaited: false });
}

export function becomeMaster(
  step: RoleStep,
  { at, epoch, preCommitted }: EventOf<'becomeMaster'>,
): RoleStep {
  const { course, epoch: before, following } = step.state;
  const begun = newEpoch(step, epoch);
  if (begun === undefined) return step;
  const { masterSince } = begun.state;
  const asMaster = extend(
    cancelPurge(begun),
    {
      role: 'MASTER',
      masterSince: masterSince ?? at,
      isComplete: false,
      stepDown: undefined,
      course: { stage: 'rest' },
    },
    { kind: 'forgetStepDown' },
    { kind: 'dropLeftovers' },
    { kind: 'beginMastership' },
    { kind: 'checkContent' },
  );
  // Its report comes under the same epoch.
  const awaited = preCommitted && epoch === before ? awaitedCommit(course) : undefined;
  if (awaited !== undefined) return extend(asMaster, { course: awaited });
  if (preCommitted && course.stage === 'prepared' && following === 'takeover') {
    return reportCommit(asMaster, epoch, course.summary);
  }
  return commitForRole(asMaster);
}

/** What a commit in advance that still runs becomes when the role waits for it. */
function awaitedCommit(course: Course): Course | undefined {
  if (course.stage === 'stopping' && course.next.to === 'commitAhead') {
    const { work } = course;
    return { stage: 'stopping', work, next: { to: 'commitAhead', isAwaited: true } };
  }
  const runs = course.stage === 'committing' && course.for !== 'role';
  return runs ? { ...course, for: 'aheadThenRole' } : undefined;
}

/** What is committed from now on is this node's own. */
function commitForRole(step: RoleStep): RoleStep {
  return stopThen(withStance(step, 'own'), { to: 'commitForRole' });
}

export function commitAhead(
  step: RoleStep,
  { isAwaited }: Extract<Next, { to: 'commitAhead' }>,
  settings: RoleSettings,
): RoleStep {
  return commit(step, isAwaited ? 'aheadThenRole' : 'ahead', settings);
}

export function commitNow(step: RoleStep, settings: RoleSettings): RoleStep {
  return commit(step, 'role', settings);
}

type Committing = Extract<Course, { stage: 'committing' }>;

function commit(step: RoleStep, what: Committing['for'], settings: RoleSettings): RoleStep {
  const { epoch } = step.state;
  if (settings.injectsDirectly) return isCommitted(step, what, epoch, nothingCommitted);
  // It has begun: the deadline of whoever waits counts from here.
  return begin(
    report(step, { kind: 'commitProgress', epoch, committed: 0 }),
    (work) => ({
      course: { stage: 'committing', work, for: what },
      following: 'takeover',
      hasMissed: true,
    }),
    (work): RoleAction => ({ kind: 'commit', work, epoch }),
  );
}

export function commitProgress(
  step: RoleStep,
  { work, epoch, committed }: EventOf<'commitProgress'>,
): RoleStep {
  const { course } = step.state;
  if (course.stage !== 'committing' || course.work !== work) return step;
  return report(step, { kind: 'commitProgress', epoch, committed });
}

export function committed(
  step: RoleStep,
  { work, epoch, summary }: EventOf<'committed'>,
): RoleStep {
  const { course } = step.state;
  if (course.stage === 'committing' && course.work === work) {
    return isCommitted(step, course.for, epoch, summary);
  }
  return superseded(step, epoch, summary);
}

/** Not cancelled by a newer role: it could not be done. */
export function commitFailed(
  step: RoleStep,
  { work, epoch, because, isFollowing }: EventOf<'commitFailed'>,
): RoleStep {
  const { course } = step.state;
  const failed = extend(
    step,
    isFollowing || step.state.following !== 'takeover' ? {} : { following: 'none' },
    logLine('error', 'the commit failed', { reason: because }),
  );
  const summary = { ...nothingCommitted, cancelled: true };
  if (course.stage !== 'committing' || course.work !== work) {
    return superseded(failed, epoch, summary);
  }
  // One that failed prepares nothing: the role commits anew.
  if (course.for === 'aheadThenRole') return commitForRole(failed);
  return isCommitted(failed, course.for, epoch, summary);
}

function isCommitted(
  step: RoleStep,
  what: Committing['for'],
  epoch: number,
  summary: CommitSummary,
): RoleStep {
  const isPrepared = what === 'ahead' && !summary.cancelled;
  const course: Course = isPrepared ? { stage: 'prepared', summary } : { stage: 'rest' };
  return reportCommit(extend(step, { course }), epoch, summary);
}

/**
 * A commit that another command has ended: whoever waits for it learns that, but not under the
 * epoch of the next one.
 */
function superseded(step: RoleStep, epoch: number, summary: CommitSummary): RoleStep {
  const { course } = step.state;
  const isOfTakeover =
    course.stage === 'completing' || (course.stage === 'stopping' && course.next.to === 'complete');
  return epoch < step.state.epoch || isOfTakeover ? reportCommit(step, epoch, summary) : step;
}

function reportCommit(step: RoleStep, epoch: number, summary: CommitSummary): RoleStep {
  return report(step, { kind: 'committed', epoch, ...summary });
}

/** The VIPs are up: the caches start afresh and the peer is told everything. */
export function takeoverComplete(step: RoleStep, { epoch }: EventOf<'takeoverComplete'>): RoleStep {
  if (epoch < step.state.epoch) return step;
  const { following, peer } = step.state;
  // A keepstate peer's flows stay: it says itself what it no longer has.
  return stopThen(stopFollowing(extend(step, { epoch }), following === 'merge'), {
    to: 'complete',
    clearsExternal: !peer.isKeepstate,
  });
}

export function stopFollowing(step: RoleStep, isCounted = false): RoleStep {
  if (step.state.following === 'none') return step;
  return extend(step, { following: 'none' }, { kind: 'stopFollowing', isCounted });
}

/** A merge that goes on follows again: the end of a takeover ended its following. */
export function complete(
  step: RoleStep,
  { clearsExternal }: Extract<Next, { to: 'complete' }>,
  settings: RoleSettings,
): RoleStep {
  const own = withStance(step, 'own');
  const cleared = clearsExternal ? extend(own, {}, { kind: 'clearExternal' }) : own;
  return begin(
    followMerge(cleared, settings),
    (work) => ({ course: { stage: 'completing', work }, hasMissed: false }),
    (work) => ({ kind: 'resync', work }),
  );
}

/** The internal cache is what the kernel holds. */
export function completed(step: RoleStep): RoleStep {
  const { epoch, role } = step.state;
  return extend(
    considerPurge(step),
    { course: { stage: 'rest' }, isComplete: role === 'MASTER' },
    { kind: 'completeMastership' },
    { kind: 'startBulk', because: 'this node is MASTER' },
    { kind: 'reportTakeover', epoch },
  );
}
