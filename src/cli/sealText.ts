/** The row of `status` about the sealed channels. Pure text. */
import type { SyncStatusAnswer } from '../control/statusAnswer.js';
import { duration } from './terminal.js';

/** Without sync_key there is none. */
export function sealRow({ seal }: SyncStatusAnswer): (readonly [string, string])[] {
  if (seal === undefined) return [];
  const { activeKey, keys, auth, encrypted, peerSealed, heardAgoMs, refused } = seal;
  const heard = Object.entries(heardAgoMs).map(([id, ms]) => `key ${id} heard ${duration(ms)} ago`);
  const dropped = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`);
  const parts = [
    peerSealed ? 'the peer has the key' : 'THE PEER HAS SHOWN NO KEY',
    `sending with key ${activeKey} (${keys[activeKey] ?? ''})`,
    ...heard,
    encrypted ? auth : `${auth}, not encrypted`,
    ...(dropped.length === 0 ? [] : [`refused: ${dropped.join(', ')}`]),
  ];
  return [['seal', parts.join(', ')]];
}
