/** Who has opened a connection to a UNIX socket: SO_PEERCRED, which Node.js does not tell. */
import type { Socket } from 'node:net';
import { nativeAddon } from '../native/load.js';

/** Node.js keeps the descriptor of a socket here (test/net/socket/peerUser.test.ts). */
type WithHandle = Socket & { readonly _handle?: { readonly fd?: number } | null };

/** The user id; undefined where the kernel does not tell it, as of a connection that is gone. */
export function peerUser(socket: Socket): number | undefined {
  // Checked boundary: anything but a descriptor gives undefined.
  const fd = (socket as WithHandle)._handle?.fd;
  if (typeof fd !== 'number' || fd < 0) return undefined;
  const user = nativeAddon().peerUser(fd);
  return user < 0 ? undefined : user;
}
