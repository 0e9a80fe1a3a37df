/**
 * Rule 5: of two MASTERs that hear each other VRRP's order alone says who yields, so that adverts
 * and beats never name two losers; the loser is silent before the winner announces.
 */
import type { Microseconds } from '../base/time.js';
import { end, raise, tell } from './roleAccount.js';
import { extend, type AgreementStep } from './agreementActions.js';
import type { AgreementSettings } from './settings.js';
import { giveWay } from './taking.js';
import { isProven } from './trust.js';
import { livingMaster, ownCandidate, vrrpOrder } from './views.js';

/** After each event. */
export function settleMasters(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { own, listening, peers, rival } = step.state;
  const other = livingMaster(step.state, at, settings);
  if (own.role !== 'MASTER' || other === undefined) return rivalIsGone(step, settings);
  const peer = peers[other];
  if (listening !== undefined || peer?.said === undefined || !isProven(peer, settings)) return step;
  const { said } = peer;
  if (vrrpOrder(said, ownCandidate(step.state, settings)) > 0) {
    const because = `${other} is MASTER and the stronger one`;
    return rivalIsGone(giveWay(step, 5, because, 'BACKUP', settings), settings);
  }
  if (rival === other) return step;
  const because = `${other} is MASTER too, and the weaker one: it is to give way`;
  return raise(tell(extend(step, { rival: other }), 5, because, settings), 'two-masters', because);
}

function rivalIsGone(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const { rival, own } = step.state;
  const ended = end(step, 'two-masters');
  if (rival === undefined) return ended;
  const gone = extend(ended, { rival: undefined });
  if (own.role !== 'MASTER') return gone;
  const told = tell(gone, 5, `${rival} is MASTER no more`, settings);
  return extend(told, {}, { kind: 'announceAddresses' });
}
