/**
 * Where VRRP and the sync engine meet: the pure machine that orders a role change. To MASTER:
 * commit, then VIPs, then resync and bulk; to BACKUP: VIPs go first, then a resync is asked for and
 * a purge scheduled. Nothing here reads a clock or touches a socket; runner.ts carries the actions
 * out.
 */
import {
  extend,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type CoordinatorState,
  type Step,
} from './vocabulary.js';
import { advertiser, endTestimony, evidenceOfRole, testify } from './evidence.js';
import {
  endHandOver,
  failover,
  handOverAnswered,
  handOverTimedOut,
  handoverGranted,
  handoverOffered,
  maintenance,
  masterResigned,
  otherMasterTook,
  releaseFailover,
} from './handOver.js';
import {
  abandonPreparation,
  masterSilent,
  preemptionWanted,
  prepareWhenReady,
  withdrawn,
} from './preparation.js';
import {
  committed,
  progress,
  roleChanged,
  vipsUp,
  vipsWaitNoLonger,
  workerReady,
} from './takeOver.js';
import {
  merged,
  mergeEnds,
  mergeLate,
  mergeProgress,
  mergeReady,
  otherMasterSeen,
  peerYielded,
} from './merge.js';
import { otherMasterHeard, workerDown } from './losses.js';

type Handlers = {
  readonly [Kind in CoordinatorEvent['kind']]: (
    step: Step,
    event: Extract<CoordinatorEvent, { kind: Kind }>,
    settings: CoordinatorSettings,
  ) => Step;
};

const handlers: Handlers = {
  roleChanged: (step, event, settings) => {
    const changed = roleChanged(step, event, settings);
    const { handOver } = changed.state;
    const ended = handOver === undefined ? changed : endHandOver(changed, handOver, event);
    return evidenceOfRole(ended, event);
  },
  preemptionWanted: (step, event, settings) => preemptionWanted(step, event.unitEpoch, settings),
  preemptionWithdrawn: (step, event) => withdrawn(step, event.because),
  masterSilent: (step, _event, settings) => masterSilent(step, settings),
  otherMasterSeen,
  advertiser,
  masterResigned,
  peerYielded,
  yieldAnswered: (step) => endTestimony(step),
  mergeProgress: (step, event, settings) =>
    event.epoch === step.state.epoch ? mergeProgress(step, settings, event.at) : step,
  mergeReady: (step, event) => (event.epoch === step.state.epoch ? mergeReady(step) : step),
  mergeFailed: (step, event) => (event.epoch === step.state.epoch ? mergeEnds(step) : step),
  merged: (step, event) => (event.epoch === step.state.epoch ? merged(step, event.summary) : step),
  otherMasterHeard: (step, event, settings) =>
    otherMasterTook(otherMasterHeard(step), event.at, settings),
  vipsUp: (step, event) => vipsUp(step, event.at),
  workerReady: (step, event) => workerReady(step, event.at),
  workerDown,
  // Reports of an older epoch are about a role that is over.
  commitProgress: (step, event, settings) =>
    event.epoch === step.state.epoch ? progress(step, settings) : step,
  committed: (step, event) =>
    event.epoch === step.state.epoch ? committed(step, event.summary, event.at) : step,
  caughtUp: (step, _event, settings) =>
    prepareWhenReady(extend(step, { caughtUp: true }), settings),
  peer: (step, { peerKind, isSynchronised }) =>
    extend(step, { peer: { kind: peerKind, isSynchronised } }),
  result: handOverAnswered,
  handoverOffered,
  handoverGranted: (step, event) => handoverGranted(step, event),
  failover: (step, event) => failover(step, event),
  failoverRelease: (step, event, settings) => releaseFailover(step, event.requestId, settings),
  maintenance,
  timer: timerFired,
};

/** One step. Actions are to be carried out in order. */
export function coordinatorStep(
  state: CoordinatorState,
  event: CoordinatorEvent,
  settings: CoordinatorSettings,
): Step {
  // The table's type pairs each kind with its event; TypeScript cannot follow the pairing through
  // the index.
  const handle = handlers[event.kind] as (
    step: Step,
    event: CoordinatorEvent,
    settings: CoordinatorSettings,
  ) => Step;
  return handle({ state, actions: [] }, event, settings);
}

function timerFired(
  step: Step,
  event: Extract<CoordinatorEvent, { kind: 'timer' }>,
  settings: CoordinatorSettings,
): Step {
  switch (event.timer) {
    case 'commitProgress':
      return vipsWaitNoLonger(step, 'the commit made no progress');
    case 'commitLimit':
      return vipsWaitNoLonger(step, 'the commit takes too long');
    case 'preemptSync':
      return prepareWhenReady(step, settings, true);
    case 'preparation':
      return abandonPreparation(step, 'not used in time');
    case 'handOver':
      return handOverTimedOut(step);
    case 'merge':
      return mergeLate(step);
    case 'testimony':
      return testify(step);
  }
}
