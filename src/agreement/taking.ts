/**
 * The last steps before a change of the role: the arbiter's word (rule 9), then VRRP is told. Who
 * takes the role takes the highest term that it knows and one more.
 */
import { raise, tell } from './roleAccount.js';
import { microseconds, type Microseconds } from '../base/time.js';
import { extend, startTimer, stopTimer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import { unknownPeer, type Taking } from './agreementState.js';
import { silenceLimit } from './limits.js';
import type { AgreementSettings } from './settings.js';
import { livingMaster } from './views.js';

/** What is to be done: a take that VRRP asked for is only allowed. */
export type Cause = Pick<Taking, 'rule' | 'because' | 'isAsked' | 'needsLease'>;

/** Better candidates first, one limit for each (rule 7). */
export function takeInTurn(
  step: AgreementStep,
  cause: Cause,
  better: number,
  gone: string | undefined,
  settings: AgreementSettings,
): AgreementStep {
  if (better === 0) return takeByCause(step, cause, settings);
  const peer = gone === undefined ? undefined : step.state.peers[gone];
  const limit = silenceLimit(step.state, peer ?? unknownPeer, settings);
  const { works: question } = step.state;
  return extend(
    step,
    { taking: { ...cause, stage: 'turn', question } },
    startTimer('turn', microseconds(better * limit)),
  );
}

/** Nobody better took the role. */
export function turnCame(
  step: AgreementStep,
  _event: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { taking } = step.state;
  return taking?.stage === 'turn' ? takeByCause(step, taking, settings) : step;
}

/** Where nobody gave the role away the arbiter is asked, if there is one. */
export function takeByCause(
  step: AgreementStep,
  cause: Cause,
  settings: AgreementSettings,
): AgreementStep {
  if (settings.arbiter === 'none' || !cause.needsLease) return takeNow(step, cause, settings);
  const question = step.state.works + 1;
  return extend(
    step,
    { works: question, taking: { ...cause, stage: 'arbiter', question } },
    { kind: 'askArbiter', question },
  );
}

/** By agreement, or with all that was to be asked. */
export function takeNow(
  step: AgreementStep,
  cause: Cause,
  settings: AgreementSettings,
): AgreementStep {
  const { rule, because, isAsked } = cause;
  const { own, works } = step.state;
  const told = tell(step, rule, because, settings);
  const done = extend(endDoubt(endTurn(told)), {
    taking: isAsked && !cause.needsLease ? undefined : { ...cause, stage: 'done', question: works },
    silence: undefined,
    refusedSince: undefined,
  });
  if (isAsked) return extend(done, {}, { kind: 'allowTake' });
  return extend(done, {}, { kind: 'take', rule, because, awaitsCommit: !own.isWorkerDown });
}

/** Nothing is taken; VRRP, where it waits for an answer, is told why. */
export function dropTaking(
  step: AgreementStep,
  because: string,
  settings: AgreementSettings,
): AgreementStep {
  const { taking } = step.state;
  if (taking === undefined) return step;
  const told = tell(step, taking.rule, because, settings);
  const dropped = extend(endTurn(told), { taking: undefined, silence: undefined });
  return taking.isAsked ? extend(dropped, {}, { kind: 'refuseTake', because }) : dropped;
}

/** Nobody takes the role while another MASTER is heard (rule 5). */
export function withdrawTaking(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { taking, own } = step.state;
  if (taking === undefined || own.role === 'MASTER') return step;
  // VRRP was allowed to, and knew what is heard.
  if (taking.isAsked && taking.stage === 'done') return step;
  if (livingMaster(step.state, at, settings) === undefined) return step;
  const because = 'a MASTER is heard';
  if (taking.stage !== 'done') return dropTaking(step, because, settings);
  const told = tell(step, 5, because, settings);
  return extend(told, { taking: undefined }, { kind: 'withdrawTake', because });
}

/** Addresses off, and each beat says so from now on. */
export function giveWay(
  step: AgreementStep,
  rule: number,
  because: string,
  to: 'BACKUP' | 'FAULT',
  settings: AgreementSettings,
): AgreementStep {
  const { own } = step.state;
  return extend(
    endDoubt(tell(step, rule, because, settings)),
    { own: { ...own, role: to, isLastResort: false } },
    { kind: 'giveWay', rule, because, to },
  );
}

/** The role moved, or the segment is whole again. */
export function endDoubt(step: AgreementStep): AgreementStep {
  if (step.state.doubt === undefined) return step;
  return extend(
    step,
    { doubt: undefined },
    ...(['again', 'force', 'deadline'] as const).map(stopTimer),
  );
}

export function endTurn(step: AgreementStep): AgreementStep {
  const stage = step.state.taking?.stage;
  return stage === 'turn' || stage === 'lease' ? extend(step, {}, stopTimer(stage)) : step;
}

/** Serves although members are faulty. */
export function serveAsLastResort(
  step: AgreementStep,
  why = 'no node is without a fault',
): AgreementStep {
  const { own } = step.state;
  const names = own.faulty.join(', ');
  const text = `${why}: this one serves without ${names}`;
  return raise(extend(step, { own: { ...own, isLastResort: true } }), 'last-resort', text);
}
