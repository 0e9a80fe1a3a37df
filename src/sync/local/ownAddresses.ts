/** Which addresses are this node's own business: flows from or to them are not replicated. */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { SyncSettings } from '../settings.js';

/** The configured ones, and both ends of the sync links. */
export function ownAddressesOf(settings: SyncSettings): readonly IpAddress[] {
  const ends = settings.links.flatMap(({ localAddress, destination, kind }) => [
    ...(localAddress === undefined ? [] : [localAddress]),
    ...(kind === 'multicast' ? [] : [destination]),
  ]);
  const byText = new Map(
    [...settings.ownAddresses, ...ends].map((address) => [formatIp(address), address]),
  );
  return [...byText.values()];
}
