/** What status says of the sealed channels: fingerprints, and never a key. Pure. */
import { subtractTime, toMilliseconds, type Microseconds } from '../../base/time.js';
import type { SyncStatusAnswer } from '../../control/statusAnswer.js';
import type { SyncStatus } from '../../sync/messages.js';

export function sealAnswer(
  { seal }: SyncStatus,
  now: Microseconds,
): Pick<SyncStatusAnswer, 'seal'> {
  if (seal === undefined) return {};
  const heard = Object.entries(seal.heard).map(
    ([id, at]) => [id, Math.round(toMilliseconds(subtractTime(now, at)))] as const,
  );
  return {
    seal: {
      activeKey: seal.activeKeyId,
      keys: Object.fromEntries(seal.keys.map(({ id, fingerprint }) => [id, fingerprint])),
      auth: seal.auth,
      encrypted: seal.encrypts,
      peerSealed: seal.isPeerSealed,
      heardAgoMs: Object.fromEntries(heard),
      refused: seal.refused,
    },
  };
}
