/**
 * When the leftovers of a role that has left are removed: scheduled, after its time, once another
 * MASTER was heard, after a split not before that one has merged what only this kernel has, and
 * never while flows are committed in advance. What the MASTER neither holds nor ended stays and is
 * compared again. A MASTER that cannot list its flows (a conntrackd, a keepstate 0.1.0,
 * DisableInternalCache) is believed when its whole table was received. conntrackd purges after
 * PurgeTimeout whatever happened.
 */
import { addTime, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { begin, extend, logLine, report, withStance, type RoleStep } from './roleActions.js';
import type { PurgeOutcome } from './roleEvents.js';
import { firstPause, noPurge, type PurgeState, type RoleSettings } from './roleState.js';

const longestPause = seconds(300);
const undecidedPause = seconds(2);
/**
 * The purge waits no longer for a peer that does not answer; it may be one that does not know the
 * question.
 */
export const mergeTimeout = seconds(60);

function withPurge(step: RoleStep, change: Partial<PurgeState>): RoleStep {
  return extend(step, { purge: { ...step.state.purge, ...change } });
}

function armed(step: RoleStep, duration: Microseconds): RoleStep {
  return extend(step, {}, { kind: 'startTimer', timer: 'purge', duration });
}

/** `-t` while one is scheduled changes nothing, as in conntrackd. */
export function schedulePurge(
  step: RoleStep,
  at: Microseconds,
  delay: Microseconds,
  waitsForMaster: boolean,
): RoleStep {
  if (step.state.purge.due !== undefined && !waitsForMaster) return step;
  const scheduled = withPurge(step, {
    stage: 'scheduled',
    due: addTime(at, delay),
    waitsForMaster,
    isBlind: false,
    pause: firstPause,
    view: undefined,
  });
  const inSeconds = Math.round(delay / 1_000_000);
  return extend(
    armed(scheduled, delay),
    {},
    logLine('notice', 'purge of the kernel table scheduled', { inSeconds }),
  );
}

/** Also stops a purge that runs: what is committed after this stays. */
export function cancelPurge(step: RoleStep): RoleStep {
  const { stage, heldUntil } = step.state.purge;
  const actions = [
    ...(stage === 'running' ? [{ kind: 'stopPurge' } as const] : []),
    ...(stage === 'none' ? [] : [{ kind: 'stopTimer', timer: 'purge' } as const]),
    ...(heldUntil === undefined ? [] : [{ kind: 'stopTimer', timer: 'purgeHold' } as const]),
  ];
  return extend(step, { purge: noPurge }, ...actions);
}

/**
 * While flows are committed in advance, none is removed; a purge that runs is stopped, and runs
 * again.
 */
export function suspendPurge(step: RoleStep): RoleStep {
  if (step.state.purge.stage !== 'running') return step;
  return extend(withPurge(step, { stage: 'due', work: undefined }), {}, { kind: 'stopPurge' });
}

/** What is scheduled waits for the merge of the other MASTER, but no longer than to `until`. */
export function holdPurge(step: RoleStep, at: Microseconds, until: Microseconds): RoleStep {
  if (until <= at) return step;
  const duration = subtractTime(until, at);
  return extend(
    withPurge(step, { heldUntil: until }),
    {},
    { kind: 'startTimer', timer: 'purgeHold', duration },
  );
}

export function releasePurge(step: RoleStep): RoleStep {
  if (step.state.purge.heldUntil === undefined) return step;
  const released = withPurge(step, { heldUntil: undefined });
  return considerPurge(extend(released, {}, { kind: 'stopTimer', timer: 'purgeHold' }));
}

export function masterHeard(step: RoleStep): RoleStep {
  return considerPurge(withPurge(step, { isMasterHeard: true }));
}

export function purgeIsDue(step: RoleStep): RoleStep {
  if (step.state.purge.stage !== 'scheduled') return step;
  return considerPurge(withPurge(step, { stage: 'due' }));
}

/** Begins the purge where its time has come and nothing speaks against it. */
export function considerPurge(step: RoleStep): RoleStep {
  const { purge, peer, stance } = step.state;
  if (purge.stage !== 'due' || stance === 'committingAhead') return step;
  if (!purge.waitsForMaster) return run(step, 'completion');
  if (!purge.isMasterHeard || purge.heldUntil !== undefined) return step;
  const ability = purge.isBlind ? 'cannot' : peer.ability;
  if (ability === 'compares') return run(step, 'content');
  return ability === 'cannot' && peer.isCaughtUp ? run(step, 'completion') : step;
}

function run(step: RoleStep, by: 'content' | 'completion'): RoleStep {
  return begin(
    step,
    (work) => ({ purge: { ...step.state.purge, stage: 'running', work } }),
    (work) => ({ kind: 'purge', work, by }),
  );
}

interface Ended {
  readonly at: Microseconds;
  readonly work: number;
  readonly outcome: PurgeOutcome;
}

type OutcomeHandlers = {
  readonly [Kind in PurgeOutcome['kind']]: (
    step: RoleStep,
    outcome: Extract<PurgeOutcome, { kind: Kind }>,
    at: Microseconds,
    settings: RoleSettings,
  ) => RoleStep;
};

const outcomes: OutcomeHandlers = {
  all: (step, { removed }, _at, settings) =>
    purgedByCompletion(step, removed, logLine('notice', what, { removed }), settings),
  failed: (step, { because }, _at, settings) =>
    purgedByCompletion(step, 0, logLine('error', `${what} failed`, { reason: because }), settings),
  cannot: (step) => considerPurge(withPurge(step, { isBlind: true })),
  undecided,
  compared,
};

const what = 'purge of the kernel table';

export function purgeEnded(
  step: RoleStep,
  { at, work, outcome }: Ended,
  settings: RoleSettings,
): RoleStep {
  // One that was stopped.
  if (step.state.purge.work !== work) return step;
  const ended = withPurge(step, { stage: 'due', work: undefined });
  // The table's type pairs each kind with its outcome.
  const handle = outcomes[outcome.kind] as (
    step: RoleStep,
    outcome: PurgeOutcome,
    at: Microseconds,
    settings: RoleSettings,
  ) => RoleStep;
  return handle(ended, outcome, at, settings);
}

function purgedByCompletion(
  step: RoleStep,
  removed: number,
  line: ReturnType<typeof logLine>,
  settings: RoleSettings,
): RoleStep {
  const logged = extend(step, {}, line);
  return purged(withPurge(logged, { view: { by: 'completion', removed, kept: 0 } }), settings);
}

function undecided(
  step: RoleStep,
  { because }: Extract<PurgeOutcome, { kind: 'undecided' }>,
  at: Microseconds,
): RoleStep {
  const { view } = step.state.purge;
  const { removed, kept } = view ?? { removed: 0, kept: 0 };
  const news =
    view?.because === because
      ? []
      : [logLine('notice', 'the leftovers could not be compared yet', { reason: because })];
  const told = extend(step, {}, ...news);
  return again(
    withPurge(told, { view: { by: 'content', removed, kept, because } }),
    at,
    undecidedPause,
  );
}

function compared(
  step: RoleStep,
  { removed, neither: kept }: Extract<PurgeOutcome, { kind: 'compared' }>,
  at: Microseconds,
  settings: RoleSettings,
): RoleStep {
  const { view, pause } = step.state.purge;
  const before = view ?? { removed: 0, kept: 0 };
  const isNews = removed > 0 || kept !== before.kept || view === undefined;
  const told = extend(
    step,
    {},
    ...(isNews ? [logLine('notice', what, { removed, kept })] : []),
    // Others stay: the peer is to know which.
    ...(removed > 0 ? [{ kind: 'startBulk', because: 'the kernel was purged' } as const] : []),
  );
  const next = withPurge(told, {
    view: { by: 'content', removed: before.removed + removed, kept },
  });
  if (kept === 0) return purged(next, settings);
  const longer = Math.min(longestPause, pause * 2) as Microseconds;
  return withPurge(again(next, at, pause), { pause: longer });
}

function again(step: RoleStep, at: Microseconds, pause: Microseconds): RoleStep {
  return armed(withPurge(step, { stage: 'scheduled', due: addTime(at, pause) }), pause);
}

/** Nothing is left over in the kernel of the role that has left. */
function purged(step: RoleStep, { injectsDirectly }: RoleSettings): RoleStep {
  const { stance } = step.state;
  const done = extend(
    withPurge(step, { stage: 'none', due: undefined }),
    {},
    {
      kind: 'dropLeftovers',
    },
  );
  const told = report(done, { kind: 'purged' });
  const next = stance === 'leavingAhead' ? withStance(told, 'own') : told;
  // With the flows that were injected for the peer.
  if (!injectsDirectly) return next;
  return extend(next, {}, { kind: 'askForAll', because: 'the kernel was purged' });
}
