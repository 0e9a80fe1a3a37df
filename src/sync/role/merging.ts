/**
 * What a MASTER does that was not alone. The other's packets went past this kernel, so its TCP
 * windows are stale, and flows were opened that it does not know:
 *
 *   follow the peer: what it tells from now on is created where it is missing
 *   make all windows liberal, create what is known already  -> mergeReady: traffic may be drawn here
 *   the peer's whole table has arrived: look once more       -> merged; the peer is told what is here now
 *
 * Following goes on for a while: neighbours may still send to the other node, which forwards and
 * opens flows until they have learnt where the addresses are. What this kernel has is never written
 * over.
 */
import { seconds, subtractTime, toMilliseconds, type Microseconds } from '../../base/time.js';
import { begin, extend, logLine, report, type RoleStep } from './roleActions.js';
import type { RoleEvent } from './roleEvents.js';
import type { MergeState, RoleSettings, RoleState } from './roleState.js';

/** Neighbours keep an address for up to 45 s, but a gratuitous ARP reaches them at once. */
const followFurther = seconds(10);
/** The table of a peer that has died never comes; one that speaks may take its time. */
const silenceTimeout = seconds(10);
/** As long as the peer's purge waits for this merge. */
const longestWait = seconds(60);

type EventOf<Kind extends RoleEvent['kind']> = Extract<RoleEvent, { kind: Kind }>;

/** Both were MASTER. A merge that runs is followed by another. */
export function mergeAfterSplit(
  step: RoleStep,
  { at, epoch }: EventOf<'mergeAfterSplit'>,
  settings: RoleSettings,
): RoleStep {
  const { merge, works, mergeCount } = step.state;
  const isNew = merge === undefined;
  const started = extend(
    isNew ? step : stopTimers(step),
    {
      epoch,
      merge: { stage: 'openingWindows', startedAt: at, work: undefined, waitsSince: undefined },
      ...(isNew ? { mergeCount: { ...mergeCount, firstWork: works + 1 } } : {}),
    },
    { kind: 'askForAll', because: 'another node was MASTER meanwhile' },
  );
  return openWindows(followMerge(started, settings));
}

/**
 * During a takeover the peer's messages are followed already; with DisableExternalCache they go to
 * the kernel by themselves.
 */
export function followMerge(step: RoleStep, { injectsDirectly }: RoleSettings): RoleStep {
  const { merge, following } = step.state;
  if (merge === undefined || injectsDirectly || following !== 'none') return step;
  return extend(step, { following: 'merge' }, { kind: 'followMerge' });
}

function openWindows(step: RoleStep): RoleStep {
  return begin(
    step,
    (work) => withMerge(step.state, { stage: 'openingWindows', work }),
    (work) => ({
      kind: 'openWindows',
      work,
    }),
  );
}

function pass(
  step: RoleStep,
  stage: 'firstPass' | 'lastPass',
  at: Microseconds,
  settings: RoleSettings,
): RoleStep {
  if (settings.injectsDirectly) {
    const found = { created: 0, failed: 0, followed: 0 };
    return passed(extend(step, withMerge(step.state, { stage })), at, found, settings);
  }
  return begin(
    step,
    (work) => withMerge(step.state, { stage, work }),
    (work) => ({ kind: 'mergePass', work }),
  );
}

/** A takeover that is completed meanwhile cancels what runs: it is done again. */
export function windowsOpened(
  step: RoleStep,
  { at, work, cancelled }: EventOf<'windowsOpened'>,
  settings: RoleSettings,
): RoleStep {
  if (step.state.merge?.work !== work) return step;
  return cancelled ? openWindows(step) : pass(step, 'firstPass', at, settings);
}

export function mergeProgress(step: RoleStep, { work }: EventOf<'mergeProgress'>): RoleStep {
  const { merge, epoch } = step.state;
  return merge?.work === work ? report(step, { kind: 'mergeProgress', epoch }) : step;
}

export function mergePassed(
  step: RoleStep,
  event: EventOf<'mergePassed'>,
  settings: RoleSettings,
): RoleStep {
  const { at, work, created, cancelled } = event;
  // Also what one created that was cancelled, or followed by another.
  const counted = counting(step, created, work);
  const { merge } = counted.state;
  if (merge?.work !== work) return counted;
  const stage = merge.stage === 'firstPass' ? 'firstPass' : 'lastPass';
  return cancelled ? pass(counted, stage, at, settings) : passed(counted, at, event, settings);
}

function counting(step: RoleStep, created: number, work: number): RoleStep {
  const { mergeCount } = step.state;
  if (work < mergeCount.firstWork) return step;
  return extend(step, { mergeCount: { ...mergeCount, created: mergeCount.created + created } });
}

function passed(
  step: RoleStep,
  at: Microseconds,
  { failed, followed: byFollowing }: { readonly failed: number; readonly followed: number },
  settings: RoleSettings,
): RoleStep {
  const { merge, epoch, peer } = step.state;
  if (merge?.stage === 'lastPass') return merged(step, merge, { at, failed, byFollowing });
  const ready = report(step, { kind: 'mergeReady', epoch });
  if (peer.isCaughtUp) return pass(ready, 'lastPass', at, settings);
  return extend(
    ready,
    withMerge(ready.state, { stage: 'awaitingTable', work: undefined, waitsSince: at }),
    { kind: 'startTimer', timer: 'mergeTable', duration: silenceTimeout },
  );
}

function merged(
  step: RoleStep,
  merge: MergeState,
  found: {
    readonly at: Microseconds;
    readonly failed: number;
    readonly byFollowing: number;
  },
): RoleStep {
  const { epoch, mergeCount } = step.state;
  const { at, failed, byFollowing } = found;
  const created = mergeCount.created + byFollowing;
  const durationMs = toMilliseconds(subtractTime(at, merge.startedAt));
  const summary = { created, failed, durationMs };
  const told = extend(
    step,
    { mergeCount: { ...mergeCount, reported: created } },
    logLine('notice', 'merged the flows of the other MASTER', { ...summary }),
    { kind: 'report', report: { kind: 'merged', epoch, ...summary } },
    { kind: 'answerNotice', merged: summary },
    { kind: 'startTimer', timer: 'mergeFollow', duration: followFurther },
  );
  // What was created is no news of the kernel's to the peer: its own socket did it.
  return begin(
    told,
    (work) => withMerge(told.state, { stage: 'following', work }),
    (work) => ({
      kind: 'resync',
      work,
    }),
  );
}

/** The caches are compared behind a merge. */
export function mergeCompared(step: RoleStep, because: string | undefined): RoleStep {
  if (because !== undefined) return mergeFails(step, because);
  return extend(step, withMerge(step.state, { work: undefined }), {
    kind: 'startBulk',
    because: 'flows of both masters are merged',
  });
}

/** The peer's whole table has arrived. */
export function tableArrived(step: RoleStep, at: Microseconds, settings: RoleSettings): RoleStep {
  if (step.state.merge?.stage !== 'awaitingTable') return step;
  const stopped = extend(step, {}, { kind: 'stopTimer', timer: 'mergeTable' });
  return pass(stopped, 'lastPass', at, settings);
}

/** What is known of the peer by now is merged in any case. */
export function tableIsLate(
  step: RoleStep,
  { at, heardAt }: EventOf<'timer'>,
  settings: RoleSettings,
): RoleStep {
  const { merge } = step.state;
  if (merge?.stage !== 'awaitingTable' || merge.waitsSince === undefined) return step;
  const { waitsSince } = merge;
  const heard = heardAt !== undefined && heardAt > waitsSince ? heardAt : waitsSince;
  const silent = subtractTime(at, heard);
  const waited = subtractTime(at, waitsSince);
  if (silent < silenceTimeout && waited < longestWait) {
    const left = Math.min(silenceTimeout - silent, longestWait - waited) as Microseconds;
    return extend(step, {}, { kind: 'startTimer', timer: 'mergeTable', duration: left });
  }
  const warned = extend(
    step,
    {},
    logLine('warning', 'the table of the other MASTER did not come, what is known of it is merged'),
  );
  return pass(warned, 'lastPass', at, settings);
}

/** Neighbours had time enough: what the peer tells stays in the external cache alone. */
export function followedEnough(step: RoleStep): RoleStep {
  if (step.state.merge?.stage !== 'following') return step;
  return stopMerging(extend(step, { merge: undefined }), true);
}

/**
 * Following has ended. What it created after the last word on it belongs to the merge that follows.
 */
export function followed(step: RoleStep, { created }: EventOf<'followed'>): RoleStep {
  const { mergeCount, merge } = step.state;
  const total = mergeCount.created + created;
  const counted =
    merge === undefined
      ? { created: total - mergeCount.reported, reported: 0 }
      : { created: total };
  return extend(step, { mergeCount: { ...mergeCount, ...counted } });
}

export function mergeBroke(step: RoleStep, { work, because }: EventOf<'mergeBroke'>): RoleStep {
  return step.state.merge?.work === work ? mergeFails(step, because) : step;
}

/** A merge that has not ended fails, and may be begun again. */
export function mergeFails(step: RoleStep, because: string): RoleStep {
  const { merge, epoch } = step.state;
  if (merge === undefined) return step;
  const logged = extend(
    step,
    {},
    logLine('error', 'merging the flows of the other MASTER failed', { reason: because }),
  );
  const stopped = forgetMerge(logged);
  return extend(
    stopped,
    {},
    { kind: 'abandonNotice' },
    { kind: 'report', report: { kind: 'mergeFailed', epoch } },
  );
}

/** Another role, or the end of the engine: nothing more is created, and nothing is counted on. */
export function forgetMerge(step: RoleStep): RoleStep {
  const { merge, works } = step.state;
  const stopped = merge === undefined ? step : stopTimers(step);
  return stopMerging(
    extend(stopped, {
      merge: undefined,
      mergeCount: { created: 0, reported: 0, firstWork: works + 1 },
    }),
    false,
  );
}

function stopMerging(step: RoleStep, isCounted: boolean): RoleStep {
  if (step.state.following !== 'merge') return step;
  return extend(step, { following: 'none' }, { kind: 'stopFollowing', isCounted });
}

function stopTimers(step: RoleStep): RoleStep {
  const { merge } = step.state;
  if (merge?.stage === 'awaitingTable') {
    return extend(step, {}, { kind: 'stopTimer', timer: 'mergeTable' });
  }
  if (merge?.stage !== 'following') return step;
  return extend(step, {}, { kind: 'stopTimer', timer: 'mergeFollow' });
}

function withMerge({ merge }: RoleState, change: Partial<MergeState>): Partial<RoleState> {
  return merge === undefined ? {} : { merge: { ...merge, ...change } };
}
