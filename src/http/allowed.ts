/** Who is answered: `allow NETWORK ...`, by the address of the client's end of the connection. */
import { inPrefix, parseIp } from '../base/ipAddress.js';
import type { AllowedNetwork } from './settings.js';

const ownMachine: readonly AllowedNetwork[] = [
  { address: { family: 4, bytes: Uint8Array.of(127, 0, 0, 0) }, prefixLength: 8 },
  {
    address: { family: 6, bytes: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) },
    prefixLength: 128,
  },
];

/**
 * `address`: as the kernel tells it, an IPv4 client of an IPv6 socket as ::ffff:a.b.c.d; undefined
 * once the client is gone.
 */
export function isAllowed(address: string | undefined, allow: readonly AllowedNetwork[]): boolean {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  const client = plain === undefined ? undefined : parseIp(plain);
  if (client === undefined) return false;
  const networks = allow.length === 0 ? ownMachine : allow;
  return networks.some((one) => inPrefix(client, one.address, one.prefixLength));
}
