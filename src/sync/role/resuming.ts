/**
 * The end of an engine and the beginning of the next one, which takes the state along: a purge that
 * waits goes on, a step-down that was not answered is told again, a commit for the role is made
 * again. What was committed in advance was taken back before: the flows of a fresh cache are all
 * this node's own.
 */
import { subtractTime, type Microseconds } from '../../base/time.js';
import { begin, extend, logLine, withStance, type RoleStep } from './roleActions.js';
import { resumeStepDown, undoAhead } from './leaving.js';
import { forgetMerge } from './merging.js';
import type { RoleEvent } from './roleEvents.js';
import type { Course, Next, RoleState } from './roleState.js';
import { pendingLeave, stopThen } from './taking.js';

type EventOf<Kind extends RoleEvent['kind']> = Extract<RoleEvent, { kind: Kind }>;

export function restartWanted(step: RoleStep): RoleStep {
  return undoAhead(step);
}

/** Works that run report no more. */
export function closed(step: RoleStep): RoleStep {
  const { merge, purge, epoch } = step.state;
  const isMerging = merge !== undefined && merge.stage !== 'following';
  const stopped = forgetMerge(step);
  const unmerged = isMerging
    ? extend(stopped, {}, { kind: 'report', report: { kind: 'mergeFailed', epoch } })
    : stopped;
  const isPurging = purge.stage === 'running';
  return extend(
    unmerged,
    isPurging ? { purge: { ...purge, stage: 'due', work: undefined } } : {},
    ...(isPurging ? [{ kind: 'stopPurge' } as const] : []),
  );
}

/** What of a course is to be done again on a fresh engine; undefined: nothing. */
function repeated(course: Course): Next | undefined {
  switch (course.stage) {
    case 'stopping':
      return pendingLeave(course) ?? repeatedNext(course.next);
    case 'committing':
      return course.for === 'ahead' ? undefined : { to: 'commitForRole' };
    case 'completing':
      return { to: 'complete', clearsExternal: false };
    case 'rest':
    case 'prepared':
    case 'undoing':
    case 'comparing':
    case 'readingLeftovers':
      return undefined;
  }
}

function repeatedNext(next: Next): Next | undefined {
  switch (next.to) {
    case 'commitAhead':
      return next.isAwaited ? { to: 'commitForRole' } : undefined;
    case 'undo':
      return undefined;
    case 'commitForRole':
    case 'leave':
    case 'complete':
      return next;
  }
}

export function engineStarted(step: RoleStep, { at }: EventOf<'engineStarted'>): RoleStep {
  const { course, masterUntil } = step.state;
  const stance = stanceOf(step.state);
  const fresh = extend(step, {
    course: { stage: 'rest' },
    // As that of a cache that was just built.
    stance: 'own',
    following: 'none',
    hasMissed: false,
    peer: { isKeepstate: false, ability: 'unknown', isCaughtUp: false },
  });
  const said =
    masterUntil === undefined
      ? fresh
      : extend(fresh, {}, { kind: 'sayWasMaster', until: masterUntil });
  const resumed = resumeStepDown(resumePurge(withStance(said, stance), at), at);
  const next = repeated(course);
  return next === undefined ? resumed : stopThen(resumed, next);
}

/** Under the bypass a dump still skips the peer's flows until the purge. */
function stanceOf({ stance, purge }: RoleState): RoleState['stance'] {
  return stance === 'leavingAhead' && purge.due !== undefined ? stance : 'own';
}

function resumePurge(step: RoleStep, at: Microseconds): RoleStep {
  const { purge } = step.state;
  if (purge.due === undefined) return step;
  const duration = Math.max(0, subtractTime(purge.due, at)) as Microseconds;
  const armed = extend(
    step,
    { purge: { ...purge, stage: 'scheduled' } },
    { kind: 'startTimer', timer: 'purge', duration },
    logLine('notice', 'purge of the kernel table scheduled', {
      inSeconds: Math.round(duration / 1_000_000),
    }),
  );
  if (!purge.waitsForMaster) return armed;
  return begin(
    armed,
    () => ({}),
    (work) => ({ kind: 'readLeftovers', work }),
  );
}
