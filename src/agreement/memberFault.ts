/**
 * Rule 2: a MASTER whose members fail gives the role to a peer that can serve, and says so in each
 * beat. Where none can: FAULT, as keepalived; with `last_resort` the better of them serves on what
 * is left.
 */
import { end, tell } from './roleAccount.js';
import { extend, startTimer, stopTimer, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { AgreementState } from './agreementState.js';
import { holdRole, mayMoveByChoice, mayMoveByFault, untilChoice } from './damping.js';
import { betterCandidates } from './candidates.js';
import type { AgreementSettings } from './settings.js';
import { giveWay, serveAsLastResort, takeInTurn } from './taking.js';
import { isAble, lastResortOrder, livingMaster, ownCandidate, speakers } from './views.js';

type Time = EventOf<'role'>['at'];

/** The answer is `giveWay` or `stayMaster`. */
export function faultImminent(
  step: AgreementStep,
  { at, faulty }: EventOf<'faultImminent'>,
  settings: AgreementSettings,
): AgreementStep {
  const { own } = step.state;
  const known = extend(step, { own: { ...own, faulty } });
  if (own.role !== 'MASTER') return known;
  const isAbleThere = hasAblePeer(known.state, at, settings);
  if (isAbleThere && mayMoveByFault(known.state, at)) {
    const because = `${faulty.join(', ')} failed and the peer can serve`;
    return giveWay(holdRole(known, [], settings), 2, because, 'FAULT', settings);
  }
  if (!settings.lastResort) {
    return giveWay(known, 2, 'members failed and no peer is known to serve', 'FAULT', settings);
  }
  if (isAbleThere) return serveDamped(known, at, settings);
  if (!isBestOfFaulty(known.state, at, settings)) {
    return giveWay(known, 2, 'the peer has fewer faulty members', 'FAULT', settings);
  }
  const because = 'members failed and no peer can serve better';
  return extend(serveAsLastResort(tell(known, 2, because, settings)), {}, { kind: 'stayMaster' });
}

/** The role has moved too often: on what is left, until it may move again (rule 6). */
function serveDamped(step: AgreementStep, at: Time, settings: AgreementSettings): AgreementStep {
  const why = 'the role has moved too often within a minute';
  return extend(
    serveAsLastResort(tell(step, 6, `members failed, and ${why}`, settings), why),
    {},
    startTimer('damped', untilChoice(step.state, at)),
    { kind: 'stayMaster' },
  );
}

function hasAblePeer(state: AgreementState, at: Time, settings: AgreementSettings): boolean {
  return speakers(state, at, settings).some(([, says]) => says.role === 'BACKUP' && isAble(says));
}

function isBestOfFaulty(state: AgreementState, at: Time, settings: AgreementSettings): boolean {
  const own = ownCandidate(state, settings);
  return speakers(state, at, settings).every(([, says]) => lastResortOrder(own, says) > 0);
}

/** After each event: the role of a MASTER in FAULT is taken, a last resort begins or ends. */
export function serveForFaulty(
  step: AgreementStep,
  at: Time,
  settings: AgreementSettings,
): AgreementStep {
  const { own } = step.state;
  if (own.isLastResort && own.role === 'MASTER') return endLastResort(step, at, settings);
  if (own.isInMaintenance || step.state.taking !== undefined) return step;
  if (livingMaster(step.state, at, settings) !== undefined) return hopeNoMore(step);
  if (own.role === 'FAULT') return beLastResort(step, at, settings);
  return own.role === 'BACKUP' ? followFaulty(hopeNoMore(step), at, settings) : hopeNoMore(step);
}

/** It has the latest term, so nobody has followed it yet. */
function followFaulty(step: AgreementStep, at: Time, settings: AgreementSettings): AgreementStep {
  const { state } = step;
  if (!isAble(ownCandidate(state, settings))) return step;
  const faulty = speakers(state, at, settings).find(
    ([, { role, held }]) => role === 'FAULT' && held > 0 && held === state.term,
  );
  if (faulty === undefined) return step;
  const because = 'the MASTER is in FAULT';
  const cause = { rule: 2, because, isAsked: false, needsLease: false };
  const better = betterCandidates(state, faulty[0], at, settings);
  return takeInTurn(holdRole(step, [], settings), cause, better, faulty[0], settings);
}

/** At once where all others are known to be worse, else after VRRP's time. */
function beLastResort(step: AgreementStep, at: Time, settings: AgreementSettings): AgreementStep {
  if (!settings.lastResort) return step;
  const others = speakers(step.state, at, settings);
  const areFaulty = others.every(([, says]) => says.role === 'FAULT' || says.isInMaintenance);
  if (others.length > 0 && areFaulty && isBestOfFaulty(step.state, at, settings)) {
    return takeAsLastResort(step, false, settings);
  }
  if (step.state.isLastHope) return step;
  return extend(step, { isLastHope: true }, startTimer('lastResort', settings.masterDown));
}

function hopeNoMore(step: AgreementStep): AgreementStep {
  if (!step.state.isLastHope) return step;
  return extend(step, { isLastHope: false }, stopTimer('lastResort'));
}

/** Nobody was MASTER for VRRP's time. */
export function lastResortIsDue(
  step: AgreementStep,
  { at }: EventOf<'timer'>,
  settings: AgreementSettings,
): AgreementStep {
  const { isLastHope, strangers } = step.state;
  if (!isLastHope) return step;
  const recent = Object.values(strangers).some(
    (stranger) => stranger.at + settings.masterDown > at,
  );
  const due = extend(step, { isLastHope: false });
  const others = speakers(step.state, at, settings);
  // One that can serve does so by VRRP's time; it is asked again.
  const isWorse =
    others.some(([, says]) => isAble(says)) || !isBestOfFaulty(due.state, at, settings);
  return recent || isWorse ? due : takeAsLastResort(due, others.length === 0, settings);
}

/** Others that say FAULT agree; with none to be heard the arbiter is asked. */
function takeAsLastResort(
  step: AgreementStep,
  needsLease: boolean,
  settings: AgreementSettings,
): AgreementStep {
  const because = 'no node is without a fault';
  const cause = { rule: 2, because, isAsked: false, needsLease };
  return takeInTurn(hopeNoMore(step), cause, 0, undefined, settings);
}

function endLastResort(step: AgreementStep, at: Time, settings: AgreementSettings): AgreementStep {
  const { own } = step.state;
  if (own.faulty.length === 0) {
    return end(extend(step, { own: { ...own, isLastResort: false } }), 'last-resort');
  }
  if (!hasAblePeer(step.state, at, settings) || !mayMoveByChoice(step.state, at)) return step;
  const held = holdRole(step, [], settings);
  return giveWay(held, 2, 'the peer can serve without a fault', 'FAULT', settings);
}
