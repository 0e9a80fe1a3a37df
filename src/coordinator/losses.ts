/** What other routers and the worker's death mean for the coordinator. */
import {
  extend,
  post,
  startTimer,
  stopTimer,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type Step,
} from './vocabulary.js';
import { preparationFailed } from './handOver.js';
import { mergeEnds } from './merge.js';
import { dropPreparation, hasFailed } from './preparation.js';
import { finishTakeover, vipsWaitNoLonger } from './takeOver.js';

/**
 * Tells the worker once per epoch that the leftovers may be purged when the other's table is in.
 */
export function otherMasterHeard(step: Step): Step {
  const { role, otherMasterHeard: isKnown, epoch, worker } = step.state;
  if (role === 'MASTER' || isKnown) return step;
  return extend(
    step,
    { otherMasterHeard: true },
    ...(worker === 'running' ? [post({ kind: 'otherMasterHeard', epoch })] : []),
  );
}

/** Some of them pass before the next engine has greeted the peer. */
const lastTestimonies = 5;

/** VRRP goes on without the engine; nothing waits for a dead worker. */
export function workerDown(
  step: Step,
  event: Extract<CoordinatorEvent, { kind: 'workerDown' }>,
  settings: CoordinatorSettings,
): Step {
  const { preparation, takeover } = step.state;
  const down = extend(mergeEnds(step), {
    worker: 'down',
    caughtUp: false,
    peer: { kind: 'none', isSynchronised: false },
    // What the peer was to answer died with the engine: an advert of this node tells it still.
    testimonies: Math.min(step.state.testimonies, lastTestimonies),
  });
  const next = preparationFailed(down, `the sync engine died: ${event.because}`);
  if (takeover?.vips === 'held') {
    return vipsWaitNoLonger(next, `the sync engine died: ${event.because}`);
  }
  if (takeover?.vips === 'up') return finishTakeover(next, event.at);
  if (preparation?.for === 'silence') return dropPreparation(next);
  // A living master forwards: better to wait for the engine's return than to preempt without flows.
  const isRepeated = preparation?.for === 'preemption' && hasFailed(preparation);
  if (preparation?.stage === 'committing' || isRepeated) {
    return extend(
      next,
      { preparation: { ...preparation, stage: 'awaitingSync' } },
      stopTimer('commitLimit'),
      startTimer('preemptSync', settings.preemptSyncTimeout),
    );
  }
  return next;
}
