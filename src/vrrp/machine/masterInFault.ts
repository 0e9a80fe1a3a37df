/**
 * Who is MASTER while this instance is in FAULT. It takes no part in the election, and nothing here
 * changes a role, a timer or a counter: whoever may end the fault (a lost target that counts) must
 * know whether somebody else has the role.
 */
import { subtractTime, type Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { AdvertProof } from '../auth/proof.js';
import type { InstanceSettings } from '../settings.js';
import { judge } from './advertAcceptance.js';
import type { MemberDraft } from './draft.js';
import type { HeardMaster, InstanceState } from './state.js';
import { masterDownTime } from './timing.js';

/** An advertisement that is not believed is no sign of anybody. */
export function noteMasterInFault(
  { instance, settings, step }: MemberDraft,
  datagram: VrrpDatagram,
  proof: AdvertProof | undefined,
): void {
  const verdict = judge(datagram, settings, instance.masterInFault?.address, proof);
  if (verdict.kind === 'rejected') return;
  const { priority } = verdict.advert;
  const { source: address } = datagram;
  instance.masterInFault = priority === 0 ? undefined : { address, priority, lastHeard: step.at };
}

/** Silence for a master-down time ends it, as it would for a BACKUP. */
export function livingMasterInFault(
  settings: InstanceSettings,
  state: InstanceState,
  now: Microseconds,
): HeardMaster | undefined {
  const { masterInFault } = state;
  if (state.state !== 'FAULT' || masterInFault === undefined) return undefined;
  const isSilent = subtractTime(now, masterInFault.lastHeard) >= masterDownTime(settings, state);
  return isSilent ? undefined : masterInFault;
}
