/**
 * Before the role is ours: to preempt a living master, to take over from one that hands over, or
 * from one that is silent and will soon count as lost, the flows are committed first. The old
 * master, if it lives, keeps forwarding meanwhile, and from the commit on the worker applies each
 * change of the external table to the kernel too.
 */
import { milliseconds, seconds } from '../base/time.js';
import type { CommitSummary } from '../sync/messages.js';
import {
  extend,
  logLine,
  post,
  startTimer,
  stopTimer,
  type CoordinatorAction,
  type CoordinatorSettings,
  type Preparation,
  type Step,
} from './vocabulary.js';

/** A committed preparation serves a role that comes within this time. */
const preparationLifetime = seconds(10);
/** After a silence it may come and go: the next one within this time finds everything prepared. */
const silenceLifetime = seconds(30);
/** Between a commit that failed and the next one; the master lives meanwhile. */
const repetitionPause = seconds(1);
/** A withdrawn wish is often followed at once by the role itself (the old master died). */
const withdrawalGrace = milliseconds(200);

/** The machine asks whether it may replace a living master of lower priority. */
export function preemptionWanted(
  step: Step,
  unitEpoch: number,
  settings: CoordinatorSettings,
): Step {
  const running = step.state.preparation;
  // What was committed for a silence was not waited for to be complete, and what failed is nothing.
  const isComplete = !hasFailed(running) && (running?.for !== 'silence' || step.state.caughtUp);
  if (running?.stage === 'ready' && isComplete) {
    return grant(step, { ...running, for: 'preemption', unitEpoch });
  }
  const preparation: Preparation = {
    for: 'preemption',
    unitEpoch,
    stage: isComplete ? (running?.stage ?? 'awaitingSync') : 'awaitingSync',
  };
  const next = extend(step, { preparation }, stopTimer('preparation'));
  if (preparation.stage === 'committing') return next;
  return prepareWhenReady(
    extend(next, {}, startTimer('preemptSync', settings.preemptSyncTimeout)),
    settings,
  );
}

/** The master is silent; when it counts as lost, its flows are to be in the kernel already. */
export function masterSilent(step: Step, settings: CoordinatorSettings): Step {
  const { role, worker, preparation, maintenance } = step.state;
  if (role !== 'BACKUP' || worker !== 'running' || maintenance) return step;
  if (preparation?.for === 'silence' && preparation.stage === 'ready') {
    return extend(step, {}, startTimer('preparation', silenceLifetime));
  }
  // Another commit in advance serves as well.
  if (preparation !== undefined && preparation.stage !== 'awaitingSync') return step;
  const silence = { for: 'silence', unitEpoch: undefined, stage: 'awaitingSync' } as const;
  const told = extend(
    step,
    {},
    stopTimer('preemptSync'),
    logLine('info', 'the master is silent: its flows are committed in advance'),
  );
  return startCommit(told, preparation ?? silence, settings);
}

/** Starts the commit once the external table has caught up, or `regardless` after the timeout. */
export function prepareWhenReady(
  step: Step,
  settings: CoordinatorSettings,
  regardless = false,
): Step {
  const { preparation, caughtUp, worker } = step.state;
  if (preparation?.for === 'preemption' && regardless && hasFailed(preparation)) {
    const { unitEpoch } = preparation;
    return startCommit(step, { for: 'preemption', unitEpoch, stage: 'awaitingSync' }, settings);
  }
  if (preparation?.stage !== 'awaitingSync') return step;
  if (!regardless && !(caughtUp && worker === 'running')) return step;
  const stopped = extend(step, {}, stopTimer('preemptSync'));
  if (worker === 'running') return startCommit(stopped, preparation, settings);
  const warned = extend(
    stopped,
    {},
    logLine('warning', 'preempting without the flows: the sync engine is down'),
  );
  return prepared(extend(warned, { preparation: { ...preparation, stage: 'ready' } }));
}

export function startCommit(
  step: Step,
  preparation: Preparation,
  settings: CoordinatorSettings,
): Step {
  const epoch = step.state.epoch + 1;
  return extend(
    step,
    { epoch, preparation: { ...preparation, stage: 'committing' } },
    post({ kind: 'preCommit', epoch }),
    startTimer('commitLimit', settings.commitLimit),
  );
}

/** The preparation's commit is done, failed or given up: the role may come. */
export function prepared(step: Step, summary?: CommitSummary): Step {
  const { preparation } = step.state;
  if (preparation === undefined || preparation.stage === 'awaitingSync') return step;
  const ready: Preparation = {
    ...preparation,
    stage: 'ready',
    ...(summary === undefined ? {} : { summary }),
  };
  const next = extend(step, { preparation: ready }, stopTimer('commitLimit'));
  if (ready.for === 'preemption') return hasFailed(ready) ? repeatLater(next) : grant(next, ready);
  if (ready.for === 'silence') return extend(next, {}, startTimer('preparation', silenceLifetime));
  return extend(next, {}, answerReady(summary), startTimer('preparation', preparationLifetime));
}

/** Its commit could not be done, and was not begun anew. */
export function hasFailed(preparation: Preparation | undefined): boolean {
  return preparation?.stage === 'ready' && preparation.summary?.cancelled === true;
}

/** The living master goes on: it is not replaced by a kernel that lacks its flows. */
function repeatLater(step: Step): Step {
  return extend(
    step,
    {},
    startTimer('preemptSync', repetitionPause),
    logLine('warning', 'the preemption waits: its commit failed and is made again'),
  );
}

/** To the peer that offered the role. */
export function answerReady(summary: CommitSummary | undefined): CoordinatorAction {
  return post({ kind: 'answerHandover', ready: true, because: readiness(summary) });
}

function readiness(summary: CommitSummary | undefined): string {
  return summary?.cancelled === true
    ? 'the commit in advance failed and is made again with the role'
    : 'flows are committed';
}

function grant(step: Step, preparation: Preparation): Step {
  const next = extend(step, { preparation }, startTimer('preparation', preparationLifetime));
  return preparation.unitEpoch === undefined
    ? next
    : extend(next, {}, { kind: 'grantPreemption', unitEpoch: preparation.unitEpoch });
}

/** The wish is over; the preparation is kept for a moment in case the role comes all the same. */
export function withdrawn(step: Step, because: string): Step {
  const { preparation } = step.state;
  if (preparation?.for !== 'preemption') return step;
  const next = extend(step, {}, stopTimer('preemptSync'));
  if (preparation.stage === 'awaitingSync') return extend(next, { preparation: undefined });
  return extend(
    next,
    {},
    startTimer('preparation', withdrawalGrace),
    logLine('info', 'preemption is no longer wanted', { reason: because }),
  );
}

/** A fresh engine has committed nothing in advance. */
export function dropPreparation(step: Step): Step {
  return extend(
    step,
    { preparation: undefined },
    stopTimer('preparation'),
    stopTimer('commitLimit'),
  );
}

/**
 * What was committed in advance is taken back: the other node is MASTER, and its flows are not this
 * kernel's.
 */
export function abandonPreparation(step: Step, because: string): Step {
  const { preparation } = step.state;
  if (preparation === undefined) return step;
  const cleared = extend(
    step,
    { preparation: undefined },
    stopTimer('preemptSync'),
    stopTimer('preparation'),
    stopTimer('commitLimit'),
  );
  if (preparation.stage === 'awaitingSync') return cleared;
  const epoch = step.state.epoch + 1;
  return extend(
    cleared,
    { epoch },
    post({ kind: 'undoPreCommit', epoch }),
    logLine('info', 'the prepared takeover is given up', { reason: because }),
  );
}
