/**
 * From the decision to be MASTER until it is complete: commit, VIPs, gratuitous ARP, then the
 * caches are filled anew and sent to the peer. And the ways back: BACKUP and FAULT.
 */
import { subtractTime, type Microseconds } from '../base/time.js';
import {
  extend,
  logLine,
  post,
  startTimer,
  stopTimer,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type Preparation,
  type Step,
  type Takeover,
} from './vocabulary.js';
import { mergeEnds } from './merge.js';
import { dropPreparation, prepared } from './preparation.js';
import { nothingCommitted, type CommitSummary } from '../sync/messages.js';

type RoleChanged = Extract<CoordinatorEvent, { kind: 'roleChanged' }>;

export function roleChanged(step: Step, event: RoleChanged, settings: CoordinatorSettings): Step {
  switch (event.to) {
    case 'MASTER':
      return becomeMaster(step, event, settings);
    case 'BACKUP':
    case 'FAULT':
    case 'INIT':
      return leaveMaster(step, event.to, event);
  }
}

function leaveMaster(step: Step, role: 'BACKUP' | 'FAULT' | 'INIT', event: RoleChanged): Step {
  const epoch = step.state.epoch + 1;
  const { masterSince } = step.state;
  const next = extend(
    mergeEnds(extend(step, { role })),
    {
      epoch,
      masterSince: undefined,
      takeover: undefined,
      preparation: undefined,
      otherMasterHeard: false,
      caughtUp: false,
    },
    ...(['commitProgress', 'commitLimit', 'preemptSync', 'preparation'] as const).map(stopTimer),
  );
  // A worker that starts is told the role when it is ready.
  if (role === 'INIT' || step.state.worker !== 'running') return next;
  const yielded =
    event.yieldedTo === undefined || masterSince === undefined
      ? {}
      : { yieldedAfter: subtractTime(event.at, masterSince) };
  const command =
    role === 'BACKUP'
      ? ({ kind: 'becomeBackup', epoch, peerHeard: false, ...yielded } as const)
      : ({ kind: 'becomeFault', epoch } as const);
  return extend(next, {}, post(command));
}

function becomeMaster(step: Step, event: RoleChanged, settings: CoordinatorSettings): Step {
  const { preparation, worker } = step.state;
  // A preparation's commit goes on under its own epoch; otherwise this is new work.
  const isPrepared = preparation !== undefined && preparation.stage !== 'awaitingSync';
  const epoch = isPrepared ? step.state.epoch : step.state.epoch + 1;
  const commit = preparedCommit(preparation);
  const takeover: Takeover = {
    unitEpoch: event.unitEpoch,
    startedAt: event.at,
    vips: event.isResumed ? 'up' : event.vipsWait ? 'held' : 'released',
    commit: commit ?? 'running',
    isRestart: event.isResumed,
  };
  const next = extend(
    step,
    {
      role: 'MASTER',
      epoch,
      takeover,
      preparation: undefined,
      otherMasterHeard: false,
      masterSince: event.at,
      // After a silence the other one may live and go on: that is a split, however short.
      isSuccessor: isPrepared && preparation.for !== 'silence',
    },
    stopTimer('preemptSync'),
    stopTimer('preparation'),
    ...(worker === 'running'
      ? [post({ kind: 'becomeMaster', epoch, preCommitted: isPrepared })]
      : []),
  );
  if (worker === 'down') return vipsWaitNoLonger(next, 'the sync engine is down');
  // Prepared and committed: each later change went to the kernel as it came in.
  if (commit !== undefined) return vipsWaitNoLonger(next, undefined);
  if (takeover.vips !== 'held') return next;
  return extend(
    next,
    {},
    startTimer('commitProgress', settings.commitDeadline),
    startTimer('commitLimit', settings.commitLimit),
  );
}

/**
 * What a preparation has done of the takeover's commit; undefined where that is still to be waited
 * for.
 */
function preparedCommit(preparation: Preparation | undefined): Takeover['commit'] | undefined {
  if (preparation?.stage !== 'ready') return undefined;
  // Without a summary it took longer than the limit, and still runs.
  const commit = preparation.summary ?? 'running';
  // One that failed counts for nothing: the worker commits anew, and the VIPs wait for that.
  return commit !== 'running' && commit.cancelled ? undefined : commit;
}

/** A live commit moves the deadline. */
export function progress(step: Step, settings: CoordinatorSettings): Step {
  if (step.state.takeover?.vips !== 'held') return step;
  return extend(step, {}, startTimer('commitProgress', settings.commitDeadline));
}

/**
 * VIPs come up now; `because` says why they do not wait for the commit, undefined that there is no
 * need to.
 */
export function vipsWaitNoLonger(step: Step, because: string | undefined): Step {
  const { takeover, preparation } = step.state;
  if (takeover === undefined) {
    return preparation?.stage === 'committing' ? prepared(step) : step;
  }
  if (takeover.vips !== 'held') return step;
  return extend(
    step,
    { takeover: { ...takeover, vips: 'released' } },
    stopTimer('commitProgress'),
    stopTimer('commitLimit'),
    ...(because === undefined
      ? []
      : [logLine('warning', 'addresses come up before the commit ended', { reason: because })]),
    {
      kind: 'releaseVips',
      unitEpoch: takeover.unitEpoch,
      because: because ?? 'flows are committed',
    },
  );
}

/** The worker's report on the commit of the present epoch. */
export function committed(step: Step, summary: CommitSummary, at: Microseconds): Step {
  const { takeover } = step.state;
  if (takeover === undefined) return prepared(step, summary);
  const reported = extend(step, { takeover: { ...takeover, commit: summary } });
  return finishTakeover(vipsWaitNoLonger(reported, undefined), at);
}

export function vipsUp(step: Step, at: Microseconds): Step {
  const { takeover } = step.state;
  if (takeover?.vips !== 'released') return step;
  return finishTakeover(extend(step, { takeover: { ...takeover, vips: 'up', vipsUpAt: at } }), at);
}

/** Both halves done: the worker may flush, resync and send its table. */
export function finishTakeover(step: Step, at: Microseconds): Step {
  const { takeover, epoch, worker } = step.state;
  if (takeover?.vips !== 'up') return step;
  if (takeover.commit === 'running' && worker !== 'down') return step;
  // A report that never came.
  const summary = takeover.commit === 'running' ? nothingCommitted : takeover.commit;
  const finished = extend(
    step,
    { takeover: undefined },
    ...(worker === 'running' ? [post({ kind: 'takeoverComplete', epoch })] : []),
  );
  if (takeover.isRestart) return finished;
  // Where the VIPs did not wait for it, the commit's report comes later.
  const duration = subtractTime(takeover.vipsUpAt ?? at, takeover.startedAt);
  return extend(finished, {}, { kind: 'takeoverDone', summary, duration });
}

/** A worker that (re)starts learns the role; a MASTER's VIPs are not touched by that. */
export function workerReady(step: Step, at: Microseconds): Step {
  const epoch = step.state.epoch + 1;
  const { role, takeover, preparation } = step.state;
  // A fresh engine has committed nothing in advance.
  const kept = preparation?.stage === 'awaitingSync' ? preparation : undefined;
  const isDropped = preparation !== undefined && kept === undefined;
  const ended = isDropped ? dropPreparation(mergeEnds(step)) : mergeEnds(step);
  const next = extend(ended, { worker: 'running', epoch });
  switch (role) {
    case 'MASTER':
      return extend(
        next,
        {
          takeover: takeover ?? {
            unitEpoch: 0,
            startedAt: at,
            vips: 'up',
            commit: 'running',
            isRestart: true,
          },
        },
        post({ kind: 'becomeMaster', epoch, preCommitted: false }),
      );
    case 'BACKUP':
      return extend(
        next,
        {},
        post({ kind: 'becomeBackup', epoch, peerHeard: step.state.otherMasterHeard }),
      );
    case 'FAULT':
      return extend(next, {}, post({ kind: 'becomeFault', epoch }));
    case 'INIT':
      return next;
  }
}
