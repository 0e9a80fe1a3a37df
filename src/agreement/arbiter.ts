/**
 * Rule 9: a third party says who may take the role from silence. By default only an explicit
 * refusal keeps a node from it, and no answer leaves it to VRRP's time; `required`: no role from
 * silence without the lease.
 */
import { raise } from './roleAccount.js';
import { extend, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementSettings } from './settings.js';
import { dropTaking, giveWay, takeNow } from './taking.js';
import { speakers } from './views.js';

export function arbiterAnswered(
  step: AgreementStep,
  { question, answer }: EventOf<'arbiterAnswer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { taking } = step.state;
  if (taking?.stage !== 'arbiter' || taking.question !== question) return step;
  switch (answer) {
    case 'granted':
      return takeNow(extend(step, { lease: 'held' }), taking, settings);
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

/** A MASTER steps down when another holds the lease; `required`: also when it lost both. */
export function leaseChanged(
  step: AgreementStep,
  { at, state: lease }: EventOf<'lease'>,
  settings: AgreementSettings,
): AgreementStep {
  const known = extend(step, { lease });
  if (known.state.own.role !== 'MASTER') return known;
  if (lease === 'refused') {
    return giveWay(known, 9, 'the arbiter says that another holds the role', 'BACKUP', settings);
  }
  return alone(known, at, settings);
}

/** After the lease or a peer was lost. */
export function alone(
  step: AgreementStep,
  at: EventOf<'lease'>['at'],
  settings: AgreementSettings,
): AgreementStep {
  const { own, lease } = step.state;
  if (settings.arbiter !== 'required' || own.role !== 'MASTER' || lease !== 'lost') return step;
  if (speakers(step.state, at, settings).length > 0) return step;
  const because = 'peer and arbiter are both lost, and the lease is required';
  return raise(giveWay(step, 9, because, 'BACKUP', settings), 'no-master', because);
}

/** A lease that was asked for and not needed is free for others. */
export function freeLease(step: AgreementStep): AgreementStep {
  if (step.state.lease !== 'held') return step;
  return extend(step, { lease: 'none' }, { kind: 'releaseLease' });
}
