/**
 * Two nodes were MASTER at a time (a partition, a process that stood still). The one that stays
 * makes one table of the flows of both, and tells the neighbours where the addresses are when its
 * kernel is ready for their packets; until then the other one's kernel, which keeps its flows, goes
 * on forwarding what is sent to it.
 *
 * It learns of the other from its advertisements, or, where that one gave way before it could send
 * any, from what it tells over the peer channel.
 */
import { microseconds, seconds, subtractTime, type Microseconds } from '../base/time.js';
import type { MergeSummary } from '../sync/messages.js';
import {
  isKnownPeer,
  isYieldProven,
  mayMergeAgain,
  rivalSeen,
  unprovenStory,
  withEvidence,
} from './evidence.js';
import {
  extend,
  logLine,
  post,
  startTimer,
  stopTimer,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type Step,
} from './vocabulary.js';

/** Several adverts of one rival are one split. */
const mergePause = seconds(5);
/** In which a MASTER that is preempted, or has handed over, has left the role. */
const successionTime = seconds(1);

type PeerYielded = Extract<CoordinatorEvent, { kind: 'peerYielded' }>;

/** A MASTER that hears another MASTER was apart from it. */
export function otherMasterSeen(
  step: Step,
  event: Extract<CoordinatorEvent, { kind: 'otherMasterSeen' }>,
  settings: CoordinatorSettings,
): Step {
  const { role, lastMerge, merge, masterSince, isSuccessor } = step.state;
  if (role !== 'MASTER') return step;
  const shown = rivalSeen(step, event);
  // The last word of the one that was just replaced (higher_prio_send_advert).
  if (isSuccessor && subtractTime(event.at, masterSince ?? event.at) < successionTime) {
    return extend(shown, {}, { kind: 'announce' });
  }
  const because = unprovenStory(step.state, event.at) ?? event.because;
  const seen = extend(shown, {}, { kind: 'split', because });
  // Its end answers the other; begun anew with each advert it would wait for that one's table for
  // ever.
  if (merge !== undefined) return merge.isAnnounced ? extend(seen, {}, { kind: 'announce' }) : seen;
  if (lastMerge !== undefined && subtractTime(event.at, lastMerge) < mergePause) {
    return extend(seen, {}, { kind: 'announce' });
  }
  return beginMerge(seen, { at: event.at, because }, settings);
}

/**
 * The peer says that it was MASTER and gave way. Whether that was a split is seen by the times, and
 * by what VRRP has shown; where it has shown nothing yet, the peer repeats it, and shows it.
 */
export function peerYielded(step: Step, event: PeerYielded, settings: CoordinatorSettings): Step {
  const { merge, lastMerge, worker } = step.state;
  // The end of the merge that goes on answers the peer.
  if (merge !== undefined) return step;
  const answer = (kind: 'yieldIgnored' | 'yieldUnproven'): Step =>
    worker === 'running' ? extend(step, {}, post({ kind })) : step;
  if (!isKnownPeer(step.state, event.from)) return answer('yieldUnproven');
  const end = microseconds(event.at - event.ago);
  const isMerged = lastMerge !== undefined && lastMerge >= end;
  const overlap = isMerged ? undefined : overlapOf(step, event, end);
  if (overlap === undefined) return answer('yieldIgnored');
  const because = `${event.name} was MASTER too, for ${asSeconds(overlap)}, until it heard this node`;
  const isProven = isYieldProven(step.state, end - event.masterFor, end);
  if (!isProven || !mayMergeAgain(step.state, event.at)) {
    return withEvidence(answer('yieldUnproven'), { unproven: { because, at: event.at } });
  }
  const told = extend(
    withEvidence(step, { yieldMerged: event.at }),
    {},
    { kind: 'split', because },
  );
  return beginMerge(told, { at: event.at, because }, settings);
}

export function mergeProgress(step: Step, settings: CoordinatorSettings, at: Microseconds): Step {
  const { merge } = step.state;
  if (merge === undefined || merge.isAnnounced) return step;
  if (subtractTime(at, merge.startedAt) >= settings.commitLimit) return step;
  return extend(step, {}, startTimer('merge', settings.commitDeadline));
}

/** The kernel has what is known of the other's flows. */
export function mergeReady(step: Step): Step {
  const { merge } = step.state;
  if (merge === undefined || merge.isAnnounced) return step;
  return extend(
    step,
    { merge: { ...merge, isAnnounced: true } },
    { kind: 'announce' },
    stopTimer('merge'),
  );
}

/** It takes too long: a longer wait would leave neighbours without a way. */
export function mergeLate(step: Step): Step {
  if (step.state.merge === undefined) return step;
  const because = 'merging the flows of two masters makes no progress';
  return mergeReady(
    extend(
      step,
      {},
      logLine('warning', 'addresses are announced before the merge ended', { reason: because }),
    ),
  );
}

export function merged(step: Step, summary: MergeSummary): Step {
  if (step.state.merge === undefined) return step;
  return extend(mergeReady(step), { merge: undefined }, { kind: 'merged', summary });
}

/**
 * Another role, a worker that is gone, or a merge that failed. The addresses of a MASTER are
 * announced in any case.
 */
export function mergeEnds(step: Step): Step {
  if (step.state.merge === undefined) return step;
  const { role } = step.state;
  const last = role === 'MASTER' ? mergeReady(step) : extend(step, {}, stopTimer('merge'));
  // The peer's news, when it is repeated, begins another merge.
  return extend(last, { merge: undefined, lastMerge: undefined });
}

function beginMerge(
  step: Step,
  { at, because }: { readonly at: Microseconds; readonly because: string },
  settings: CoordinatorSettings,
): Step {
  const { worker, epoch } = step.state;
  const line = logLine('warning', 'two masters: flows of both sides are merged', {
    reason: because,
  });
  const next = extend(step, { lastMerge: at }, line);
  if (worker !== 'running') return extend(next, {}, { kind: 'announce' });
  return extend(
    next,
    { merge: { startedAt: at, isAnnounced: false } },
    post({ kind: 'mergeAfterSplit', epoch }),
    startTimer('merge', settings.commitDeadline),
  );
}

/**
 * How long both were MASTER; undefined where they were not, or one has just succeeded the other.
 */
function overlapOf(step: Step, event: PeerYielded, end: Microseconds): Microseconds | undefined {
  const { role, masterSince, isSuccessor } = step.state;
  if (role !== 'MASTER' || masterSince === undefined || end <= masterSince) return undefined;
  const start = microseconds(Math.max(0, end - event.masterFor));
  const overlap = subtractTime(end, microseconds(Math.max(start, masterSince)));
  const isSuccession = isSuccessor && start < masterSince && overlap < successionTime;
  return isSuccession ? undefined : overlap;
}

function asSeconds(duration: Microseconds): string {
  return `${(duration / 1_000_000).toFixed(1)} s`;
}
