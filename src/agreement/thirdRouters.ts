/**
 * Rule 7: routers of the same virtual router that are no keepstate. Towards them only VRRP's rules
 * count; but one that is MASTER on a segment where the peer is not heard shows who is cut off there.
 */
import { extend, type AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import { reviseDoubt, heardWherePeerIsNot } from './segmentDoubt.js';
import type { AgreementSettings } from './settings.js';
import { giveWay } from './taking.js';

export function strangerHeard(
  step: AgreementStep,
  { at, segment, address, priority }: EventOf<'strangerHeard'>,
  settings: AgreementSettings,
): AgreementStep {
  const { strangers, own } = step.state;
  const heard = extend(step, { strangers: { ...strangers, [segment]: { address, priority, at } } });
  if (own.isLastResort && own.role === 'MASTER') {
    return giveWay(heard, 7, `${address} serves without a fault`, 'FAULT', settings);
  }
  if (own.role !== 'BACKUP') return heard;
  return heardWherePeerIsNot(reviseDoubt(heard, at, settings), segment);
}
