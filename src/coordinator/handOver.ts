/**
 * Planned hand-over between two nodes. The MASTER: drain replication and meanwhile offer the role
 * (keepstate peer), resign when the peer is ready. The BACKUP: commit what is there and follow what
 * still comes, say ready, take the role at the moment the other resigned. Towards a conntrackd peer
 * the offer is left out, and VRRP's priority 0 does the rest.
 */
import { seconds, subtractTime, toMilliseconds, type Microseconds } from '../base/time.js';
import {
  extend,
  logLine,
  post,
  startTimer,
  stopTimer,
  type CoordinatorAction,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type HandOver,
  type Step,
} from './vocabulary.js';
import { isGranted, isKnownPeer, unknownPeer, withEvidence } from './evidence.js';
import { answerReady, prepared, startCommit } from './preparation.js';

const drainTimeout = seconds(5);
const offerTimeout = seconds(15);
/** Both have answered by then, or nobody is left who would. */
const preparationTimeout = seconds(20);
/** Longer than master_down at the defaults: then the other router had its chance. */
const confirmTimeout = seconds(10);

type EventOf<Kind extends CoordinatorEvent['kind']> = Extract<CoordinatorEvent, { kind: Kind }>;

export function failover(step: Step, event: EventOf<'failover'>, thenMaintenance = false): Step {
  const { requestId, force } = event;
  const why = refusalOf(step, force);
  if (why !== undefined) return extend(step, {}, { kind: 'answer', requestId, ok: false, ...why });
  const { nextId: drainId, worker, peer } = step.state;
  const offerId = peer.kind === 'keepstate' ? drainId - 1 : undefined;
  const handOver: HandOver = {
    requestId,
    startedAt: event.at,
    force,
    ...(event.because === undefined ? {} : { because: event.because }),
    thenMaintenance,
    stage: 'preparing',
    awaitedIds: [drainId, ...(offerId === undefined ? [] : [offerId])],
    offerId,
    peerIsReady: false,
  };
  const next = extend(
    step,
    { handOver, nextId: drainId - 2 },
    startTimer('handOver', preparationTimeout),
  );
  if (worker !== 'running') return resign(next, handOver);
  return extend(
    next,
    {},
    post({ kind: 'drain', id: drainId, timeout: drainTimeout }),
    ...(offerId === undefined
      ? []
      : [post({ kind: 'offerHandover', id: offerId, timeout: offerTimeout })]),
  );
}

function refusalOf(
  { state }: Step,
  force: boolean,
): { code: string; message: string; remedy: string } | undefined {
  if (state.handOver !== undefined) {
    return {
      code: 'busy',
      message: 'a hand-over is already on its way',
      remedy: 'wait for its end: keepstate status',
    };
  }
  if (state.role !== 'MASTER') {
    return {
      code: 'not-master',
      message: `this node is ${state.role}: it has no role to hand over`,
      remedy: 'give the command on the node that is MASTER',
    };
  }
  if (!force && !state.peer.isSynchronised) {
    return {
      code: 'peer-not-synchronised',
      message: 'no synchronised peer: connections would break',
      remedy: 'see "keepstate status" for the sync link, or use --force',
    };
  }
  return undefined;
}

/** The worker answered `drain` or `offerHandover`. */
export function handOverAnswered(step: Step, event: EventOf<'result'>): Step {
  const { handOver } = step.state;
  if (handOver?.awaitedIds.includes(event.id) !== true) return step;
  if (!event.ok && !handOver.force) {
    return failed(step, handOver, 'peer-not-ready', event.message);
  }
  const answered: HandOver = {
    ...handOver,
    awaitedIds: handOver.awaitedIds.filter((id) => id !== event.id),
    peerIsReady: handOver.peerIsReady || (event.ok && event.id === handOver.offerId),
  };
  return answered.awaitedIds.length === 0
    ? resign(step, answered)
    : extend(step, { handOver: answered });
}

function resign(step: Step, handOver: HandOver): Step {
  return extend(
    step,
    { handOver: { ...handOver, stage: 'resigned', awaitedIds: [] } },
    { kind: 'resign', because: handOver.because ?? 'planned hand-over' },
    ...(handOver.peerIsReady ? [post({ kind: 'handoverResigned' })] : []),
    startTimer('handOver', confirmTimeout),
  );
}

function failed(step: Step, handOver: HandOver, code: string, message: string): Step {
  return extend(
    step,
    { handOver: undefined },
    stopTimer('handOver'),
    logLine('warning', 'the hand-over failed', { reason: message }),
    {
      kind: 'answer',
      requestId: handOver.requestId,
      ok: false,
      code,
      message: `not handed over: ${message}`,
      remedy: 'see "keepstate status" on both nodes, or use --force',
    },
  );
}

/** The other router has the role. */
export function otherMasterTook(
  step: Step,
  at: Microseconds,
  { preempts }: CoordinatorSettings,
): Step {
  const { handOver } = step.state;
  if (handOver?.stage !== 'resigned' || step.state.role === 'MASTER') return step;
  const tookMs = Math.round(toMilliseconds(subtractTime(at, handOver.startedAt)));
  return extend(
    step,
    { handOver: undefined, maintenance: step.state.maintenance || handOver.thenMaintenance },
    stopTimer('handOver'),
    ...maintenanceActions(handOver),
    {
      kind: 'answer',
      requestId: handOver.requestId,
      ok: true,
      code: 'done',
      message: `handed over in ${tookMs} ms; ${afterHandOver(handOver, preempts)}`,
    },
  );
}

function afterHandOver({ thenMaintenance }: HandOver, preempts: boolean): string {
  if (thenMaintenance) return `${maintenanceOn}, also after a restart`;
  return preempts
    ? 'preemption is held until the peer is lost or "failover --release"'
    : 'this node does not take the role back by itself (nopreempt)';
}

function maintenanceActions(handOver: HandOver): readonly CoordinatorAction[] {
  return handOver.thenMaintenance ? [{ kind: 'maintenance', on: true }] : [];
}

/** Another end of a hand-over: a fault, or the role came back because nobody took it. */
export function endHandOver(step: Step, handOver: HandOver, event: EventOf<'roleChanged'>): Step {
  if (handOver.stage !== 'resigned') {
    return failed(step, handOver, 'role-changed', `this node became ${event.to} meanwhile`);
  }
  if (event.to === 'MASTER') {
    return failed(step, handOver, 'not-taken', 'no other router took the role, so it came back');
  }
  return handOver.thenMaintenance && handOver.force ? forceMaintenance(step, handOver) : step;
}

/** Forced maintenance does not depend on anybody taking the role. */
function forceMaintenance(step: Step, handOver: HandOver): Step {
  return extend(
    step,
    { handOver: undefined, maintenance: true },
    stopTimer('handOver'),
    { kind: 'maintenance', on: true },
    {
      kind: 'answer',
      requestId: handOver.requestId,
      ok: true,
      code: 'done',
      message: 'maintenance is on; whether another router has taken the role was not waited for',
    },
  );
}

/**
 * No answer of the worker will come any more. Whoever forced the hand-over wants it all the same.
 */
export function preparationFailed(step: Step, because: string): Step {
  const { handOver } = step.state;
  if (handOver?.stage !== 'preparing') return step;
  return handOver.force
    ? resign(step, handOver)
    : failed(step, handOver, 'peer-not-ready', because);
}

export function handOverTimedOut(step: Step): Step {
  const { handOver } = step.state;
  if (handOver === undefined) return step;
  if (handOver.stage === 'preparing')
    return preparationFailed(step, 'the preparation takes too long');
  const next = failed(step, handOver, 'not-taken', 'no other router was heard as master');
  return extend(next, {}, { kind: 'releasePreemption' });
}

/**
 * A keepstate peer asks this node to take the role: all that follows by itself is a commit in
 * advance.
 */
export function handoverOffered(
  step: Step,
  { from }: EventOf<'handoverOffered'>,
  settings: CoordinatorSettings,
): Step {
  const { role, maintenance: inMaintenance, preparation } = step.state;
  const refuse = (because: string): Step =>
    extend(step, {}, post({ kind: 'answerHandover', ready: false, because }));
  if (from !== undefined && !isKnownPeer(step.state, from)) return refuse(unknownPeer(from));
  if (role !== 'BACKUP' || inMaintenance) {
    return refuse(inMaintenance ? 'in maintenance' : `this node is ${role}`);
  }
  const mine = { for: 'handOver', unitEpoch: undefined, stage: 'awaitingSync' } as const;
  switch (preparation?.stage) {
    case 'ready':
      // However often it is offered, what was committed is taken back in time where no role
      // follows.
      if (preparation.for === 'handOver') return extend(step, {}, answerReady(preparation.summary));
      return prepared(extend(step, { preparation: { ...preparation, ...mine, stage: 'ready' } }));
    case 'committing':
      return extend(step, { preparation: { ...mine, stage: 'committing' } });
    case 'awaitingSync':
    case undefined:
      // What the other side still drains is followed.
      return startCommit(extend(step, {}, stopTimer('preemptSync')), mine, settings);
  }
}

/**
 * The peer says that it resigned in our favour. That counts when the MASTER said priority 0,
 * whichever is heard first. Without a preparation VRRP's own timers decide.
 */
export function handoverGranted(step: Step, event: EventOf<'handoverGranted'>): Step {
  if (!isAwaitingRole(step) || !isKnownPeer(step.state, event.from)) return step;
  if (event.hasResigned) return assumeRole(step);
  return withEvidence(step, { granted: event.at });
}

/** VRRP shows that the MASTER resigned. */
export function masterResigned(step: Step, { at }: EventOf<'masterResigned'>): Step {
  return isAwaitingRole(step) && isGranted(step.state, at) ? assumeRole(step) : step;
}

function isAwaitingRole({ state: { preparation, role } }: Step): boolean {
  return preparation?.for === 'handOver' && preparation.stage === 'ready' && role === 'BACKUP';
}

function assumeRole(step: Step): Step {
  const next = withEvidence(step, { granted: undefined });
  return extend(next, {}, { kind: 'assumeRole', because: 'the peer handed the role over' });
}

export function releaseFailover(
  step: Step,
  requestId: number,
  { preempts }: CoordinatorSettings,
): Step {
  return extend(
    step,
    {},
    { kind: 'releasePreemption' },
    {
      kind: 'answer',
      requestId,
      ok: true,
      code: 'done',
      message: preempts
        ? 'preemption is no longer held: the higher priority takes the role again'
        : 'preemption is no longer held, but nopreempt is configured: the role stays where it is; to move it, "keepstate failover" on the MASTER',
    },
  );
}

const maintenanceOn = 'maintenance is on: this node listens but never takes the role';

/** On: a MASTER hands over first. Off: back to normal. */
export function maintenance(step: Step, event: EventOf<'maintenance'>): Step {
  const { requestId, on, force, at } = event;
  if (on && step.state.role === 'MASTER') {
    return failover(step, { kind: 'failover', at, requestId, force }, true);
  }
  const message = on ? `${maintenanceOn}, also after a restart` : 'maintenance is off';
  return extend(
    step,
    { maintenance: on },
    { kind: 'maintenance', on },
    ...(on ? [] : [{ kind: 'releasePreemption' } as const]),
    { kind: 'answer', requestId, ok: true, code: 'done', message },
  );
}
