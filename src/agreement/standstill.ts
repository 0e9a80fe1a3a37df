/**
 * Rule 4: who stood still, or starts again as MASTER, hears before it speaks: all that waits in the
 * sockets, and three beat periods.
 */
import { microseconds, subtractTime, type Microseconds } from '../base/time.js';
import { tell } from './roleAccount.js';
import {
  extend,
  patchPeer,
  startTimer,
  stopTimer,
  type AgreementStep,
} from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementState, Listening } from './agreementState.js';
import { silenceLimit } from './limits.js';
import type { AgreementSettings } from './settings.js';
import { giveWay, takeByCause } from './taking.js';
import { livingMaster, ownCandidate, speakers, vrrpOrder } from './views.js';

/** Beat periods in which another MASTER would be heard. */
const periods = 3;

export function ownLoopStoodStill(
  step: AgreementStep,
  { lasted }: EventOf<'ownLoopStoodStill'>,
  settings: AgreementSettings,
): AgreementStep {
  // Before that no peer can have thought it gone.
  const limits = Object.values(step.state.peers).map((peer) =>
    silenceLimit(step.state, peer, settings),
  );
  if (lasted < Math.min(settings.masterDown, ...limits)) return step;
  const held = step.state.listening === undefined ? [{ kind: 'holdSending' } as const] : [];
  return listen(extend(step, {}, ...held), 'standstill', settings);
}

export function listen(
  step: AgreementStep,
  what: Listening['for'],
  { beatInterval }: AgreementSettings,
): AgreementStep {
  return extend(
    step,
    { listening: { for: what, isRead: false, isOver: false } },
    { kind: 'readPaths' },
    startTimer('listen', microseconds(periods * beatInterval)),
  );
}

export function pathsRead(
  step: AgreementStep,
  { at }: EventOf<'pathsRead'>,
  settings: AgreementSettings,
): AgreementStep {
  const { listening } = step.state;
  if (listening === undefined) return step;
  return heard(step, { ...listening, isRead: true }, at, settings);
}

export function listened(
  step: AgreementStep,
  { at }: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { listening } = step.state;
  if (listening === undefined) return step;
  return heard(step, { ...listening, isOver: true }, at, settings);
}

function heard(
  step: AgreementStep,
  listening: Listening,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  if (!listening.isRead || !listening.isOver) return extend(step, { listening });
  const over = extend(step, { listening: undefined });
  if (listening.for === 'resume') return resume(over, at, settings);
  const yields = over.state.own.role === 'MASTER' && hasStronger(over.state, at, settings);
  const because = 'it stood still, and a stronger MASTER is heard';
  const next = yields ? giveWay(over, 4, because, 'BACKUP', settings) : over;
  return extend(next, {}, { kind: 'resumeSending' });
}

function resume(step: AgreementStep, at: Microseconds, settings: AgreementSettings): AgreementStep {
  const master = livingMaster(step.state, at, settings);
  const isStrange = strangersNow(step.state, at, settings).length > 0;
  if (master === undefined && !isStrange) {
    const because = 'it was MASTER before it started again, and no other is heard';
    const cause = { rule: 1, because, isAsked: true, needsLease: true };
    return takeByCause(step, cause, settings);
  }
  const because = `another MASTER is heard${master === undefined ? '' : `: ${master}`}`;
  return extend(tell(step, 1, because, settings), {}, { kind: 'refuseTake', because });
}

function hasStronger(
  state: AgreementState,
  at: Microseconds,
  settings: AgreementSettings,
): boolean {
  const own = ownCandidate(state, settings);
  const masters = speakers(state, at, settings)
    .map(([, says]) => says)
    .filter(({ role }) => role === 'MASTER');
  return [...masters, ...strangersNow(state, at, settings)].some(
    (other) => vrrpOrder(other, own) > 0,
  );
}

function strangersNow(
  { strangers }: AgreementState,
  at: Microseconds,
  { masterDown }: AgreementSettings,
): readonly { readonly priority: number; readonly address: string }[] {
  return Object.values(strangers).filter((other) => subtractTime(at, other.at) < masterDown);
}

/** VRRP's time counts from the last turn of a MASTER's loop. */
export function peerLoopStandsStill(
  step: AgreementStep,
  { at, peer, lasted }: EventOf<'peerLoopStandsStill'>,
  { masterDown }: AgreementSettings,
): AgreementStep {
  if (step.state.peers[peer] === undefined) return step;
  if (lasted === 0)
    return extend(patchPeer(step, peer, { standsSince: undefined }), {}, stopTimer('loop'));
  const standsSince = microseconds(at - lasted);
  const rest = subtractTime(masterDown, lasted);
  return extend(patchPeer(step, peer, { standsSince }), {}, startTimer('loop', rest));
}

/** VRRP had asked before that time was over. */
export function loopHadItsTime(
  step: AgreementStep,
  { at }: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { own, refusedSince, taking, peers } = step.state;
  const stands = Object.values(peers).some(({ standsSince }) => standsSince !== undefined);
  if (!stands || refusedSince === undefined || taking !== undefined) return step;
  if (own.role !== 'BACKUP' || livingMaster(step.state, at, settings) !== undefined) return step;
  const because = "the MASTER's loop stands still for VRRP's time";
  const cause = { rule: 4, because, isAsked: false, needsLease: true };
  return takeByCause(step, cause, settings);
}
