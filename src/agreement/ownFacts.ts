/** What VRRP, the worker and the operator say of this node. */
import { milliseconds } from '../base/time.js';
import { extend, startTimer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import { beginLease } from './arbiter.js';
import { countMove, holdRole } from './damping.js';
import type { AgreementSettings } from './settings.js';
import { endDoubt, endTurn, serveAsLastResort } from './taking.js';
import { livingMaster } from './views.js';

/** Ten beats, and the removal of addresses. */
const successionTime = milliseconds(300);

/** A new MASTER has the next term; what was being agreed on is over. */
export function roleChanged(
  step: AgreementStep,
  { at, role }: EventOf<'role'>,
  settings: AgreementSettings,
): AgreementStep {
  const { own, doubt, term } = step.state;
  const isAgreed = doubt !== undefined && doubt.stage !== 'asking' && doubt.stage !== 'judged';
  const held = isAgreed ? holdRole(step, doubt.segments, settings) : step;
  const ended = extend(endDoubt(endTurn(held)), {
    ...{ taking: undefined, silence: undefined },
    ...{ refusedSince: undefined, isLeftToVrrp: false },
  });
  if (role !== 'MASTER') return leave(ended, role);
  if (own.role === 'MASTER') return ended;
  const begun = extend(
    beginLease(follow(countMove(ended, at), at, settings), settings),
    { own: { ...own, role, held: term + 1 }, term: term + 1 },
    { kind: 'guardLoop', after: settings.masterDown },
  );
  return own.faulty.length > 0 ? serveAsLastResort(begun) : begun;
}

/** A living MASTER that is followed, by agreement or as VRRP preempts, hears of it with a beat. */
function follow(
  step: AgreementStep,
  at: EventOf<'role'>['at'],
  settings: AgreementSettings,
): AgreementStep {
  const name = livingMaster(step.state, at, settings);
  const peer = name === undefined ? undefined : step.state.peers[name];
  if (name === undefined || peer === undefined) return step;
  const { session, sequence } = peer;
  return extend(
    step,
    { predecessor: { peer: name, session, sequence } },
    startTimer('succession', successionTime),
  );
}

function leave(step: AgreementStep, role: EventOf<'role'>['role']): AgreementStep {
  return extend(
    step,
    { own: { ...step.state.own, role, isLastResort: false }, rival: undefined },
    { kind: 'guardLoop', after: undefined },
  );
}

export function factsChanged(
  step: AgreementStep,
  { priority, faulty, isSynchronised, isWorkerDown }: EventOf<'facts'>,
): AgreementStep {
  const { own } = step.state;
  return extend(step, { own: { ...own, priority, faulty, isSynchronised, isWorkerDown } });
}

export function maintenance(step: AgreementStep, { isOn }: EventOf<'maintenance'>): AgreementStep {
  return extend(step, { own: { ...step.state.own, isInMaintenance: isOn } });
}
