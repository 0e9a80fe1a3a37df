/**
 * Rule 9: a third party says who may take the role from silence. By default only an explicit
 * refusal keeps a node from it, and no answer leaves it to VRRP's time; `required`: no role from
 * silence without the lease.
 */
import { addTime, milliseconds, seconds, subtractTime, type Microseconds } from '../base/time.js';
import { raise } from './roleAccount.js';
import { extend, startTimer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { Taking } from './agreementState.js';
import type { AgreementSettings } from './settings.js';
import { dropTaking, giveWay, takeNow } from './taking.js';
import { hearsNode, speakers } from './views.js';

/** A holder counts a lease from its asking. */
export const leaseTime = milliseconds(400);
/** The arbiter counts so much longer, from its answer. */
const safeAfter = milliseconds(600);
/** The lease of the one before, and its release that may be lost. */
const graceOfLease = seconds(1);

export function arbiterAnswered(
  step: AgreementStep,
  { at, question, answer }: EventOf<'arbiterAnswer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { taking } = step.state;
  if (taking?.stage !== 'arbiter' || taking.question !== question) return step;
  switch (answer) {
    case 'granted':
      return granted(extend(step, { lease: 'held' }), taking, at, settings);
    case 'refused':
      return dropTaking(
        extend(step, { lease: 'refused' }),
        'the arbiter says that another holds the role',
        settings,
      );
    case 'none':
      return unanswered(extend(step, { lease: 'lost' }), settings);
  }
}

/**
 * A MASTER that had lost its lease before may have had this node to hear: from the silence on it
 * needs as long to step down as a lease lasts, and to take its addresses off.
 */
function granted(
  step: AgreementStep,
  taking: Taking,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { silence } = step.state;
  if (settings.arbiter === 'required' && !taking.isAsked && silence !== undefined) {
    const rest = subtractTime(addTime(silence.began, safeAfter), at);
    const waiting = { taking: { ...taking, stage: 'lease' } as const };
    if (rest > 0) return extend(step, waiting, startTimer('lease', rest));
  }
  return takeNow(step, taking, settings);
}

export function leaseIsSafe(
  step: AgreementStep,
  _event: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { taking } = step.state;
  return taking?.stage === 'lease' ? takeNow(step, taking, settings) : step;
}

function unanswered(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const { taking } = step.state;
  if (taking === undefined) return step;
  if (settings.arbiter === 'required') {
    const because = 'the arbiter does not answer, and its lease is required';
    return raise(dropTaking(step, because, settings), 'no-master', because);
  }
  // VRRP has asked: its time has passed, and that is the longest that the arbiter is waited for.
  if (taking.isAsked) return takeNow(step, taking, settings);
  return dropTaking(step, "the arbiter does not answer: VRRP's time counts", settings);
}

/** A MASTER steps down when another holds the lease. */
export function leaseChanged(
  step: AgreementStep,
  { state: lease }: EventOf<'lease'>,
  settings: AgreementSettings,
): AgreementStep {
  return yieldToLease(extend(step, { lease }), settings);
}

/** The lease of whoever gave the role away had time to end. */
export function leaseGrew(
  step: AgreementStep,
  _event: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  return yieldToLease(extend(step, { isLeaseYoung: false }), settings);
}

function yieldToLease(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const { lease, isLeaseYoung, own } = step.state;
  if (lease !== 'refused' || isLeaseYoung || own.role !== 'MASTER') return step;
  return giveWay(step, 9, 'the arbiter says that another holds the role', 'BACKUP', settings);
}

/** This node became MASTER: by a lease, or because the role was given to it. */
export function beginLease(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  if (settings.arbiter === 'none' || step.state.lease === 'held') return step;
  return extend(
    step,
    { lease: 'none', isLeaseYoung: true },
    startTimer('leaseGrace', graceOfLease),
  );
}

/** After each event: `required`, and both the arbiter and all peers that hear this node are lost. */
export function settleLease(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { own, lease, taking } = step.state;
  if (own.role !== 'MASTER') return taking === undefined ? freeLease(step) : step;
  if (settings.arbiter !== 'required' || lease !== 'lost') return step;
  if (speakers(step.state, at, settings).some(([, says]) => hearsNode(says, settings))) return step;
  const because = 'peer and arbiter are both lost, and the lease is required';
  return raise(giveWay(step, 9, because, 'BACKUP', settings), 'no-master', because);
}

/** A lease that was asked for and not needed is free for others. */
function freeLease(step: AgreementStep): AgreementStep {
  if (step.state.lease !== 'held') return step;
  return extend(step, { lease: 'none' }, { kind: 'releaseLease' });
}
