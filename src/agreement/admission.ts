/**
 * VRRP asks before it takes the role: nobody takes it while another MASTER is heard on any path,
 * save by agreement (rule 5), and what rule 3 has moved stays for a while (rule 6).
 */
import { extend, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementState } from './agreementState.js';
import { isHeardByOthers } from './candidates.js';
import { mayMoveByChoice } from './damping.js';
import type { AgreementSettings } from './settings.js';
import { listen } from './standstill.js';
import { takeByCause } from './taking.js';
import { tellUntrusted, trustIsOver } from './trust.js';
import { hearsNode, livingMaster, speakers } from './views.js';

/** Answered by `allowTake` or `refuseTake`: at once, or after listening or the arbiter's word. */
export function takeWanted(
  step: AgreementStep,
  event: EventOf<'takeWanted'>,
  settings: AgreementSettings,
): AgreementStep {
  const { own, listening, taking } = step.state;
  if (own.isInMaintenance) return refuse(step, 'it is in maintenance');
  // VRRP asks for each member; one answer is for all.
  if (taking?.isAsked === true) return step;
  if (listening !== undefined) return refuse(step, 'it stood still and listens');
  switch (event.wish) {
    case 'resume':
      return listen(step, 'resume', settings);
    case 'preemption':
      return preempt(step, event.at, settings);
    case 'priorityZero':
    case 'masterDown':
      return replaceMaster(step, event, settings);
  }
}

/** The MASTER lives and is of lower priority: VRRP's own rule, unless the role was moved away. */
function preempt(
  step: AgreementStep,
  at: EventOf<'takeWanted'>['at'],
  settings: AgreementSettings,
): AgreementStep {
  const { holds } = step.state;
  if (holds.segments.length > 0) {
    return refuse(step, `${holds.segments.join(', ')} has not been whole for long enough`);
  }
  if (!mayMoveByChoice(step.state, at)) return refuse(step, 'the role has just moved');
  // Who does not hear this node would go on, with the lease.
  if (settings.arbiter === 'required' && !isHeardBySomeMaster(step.state, at, settings)) {
    return refuse(step, 'the MASTER does not hear this node');
  }
  const cause = { rule: 6, because: 'VRRP preempts', isAsked: true, needsLease: false };
  return takeByCause(step, cause, settings);
}

function replaceMaster(
  step: AgreementStep,
  { at, wish }: EventOf<'takeWanted'>,
  settings: AgreementSettings,
): AgreementStep {
  const { state } = step;
  const master = livingMaster(state, at, settings) ?? masterOfOthers(state, at, settings);
  const because = wish === 'masterDown' ? "VRRP's time has passed" : 'the MASTER resigned';
  if (master !== undefined && !state.isLeftToVrrp) {
    if (!trustIsOver(step, master, at, settings)) {
      const refusedSince = state.refusedSince ?? at;
      return refuse(extend(step, { refusedSince }), `${master} is heard as MASTER`);
    }
    const told = tellUntrusted(step, master);
    return takeByCause(told, { rule: 8, because, isAsked: true, needsLease: true }, settings);
  }
  // Who resigned gave the role away.
  const needsLease = wish === 'masterDown' || settings.arbiter === 'required';
  return takeByCause(step, { rule: 1, because, isAsked: true, needsLease }, settings);
}

/** A silent peer that a third node hears as MASTER. */
function masterOfOthers(
  state: AgreementState,
  at: EventOf<'takeWanted'>['at'],
  settings: AgreementSettings,
): string | undefined {
  return Object.entries(state.peers).find(
    ([name, { said }]) => said?.role === 'MASTER' && isHeardByOthers(state, name, at, settings),
  )?.[0];
}

function isHeardBySomeMaster(
  state: AgreementState,
  at: EventOf<'takeWanted'>['at'],
  settings: AgreementSettings,
): boolean {
  return speakers(state, at, settings).some(
    ([, says]) => says.role === 'MASTER' && hearsNode(says, settings),
  );
}

function refuse(step: AgreementStep, because: string): AgreementStep {
  return extend(step, {}, { kind: 'refuseTake', because });
}
