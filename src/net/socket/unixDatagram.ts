/**
 * One datagram to a UNIX socket, for the service manager's notification protocol (sd_notify(3)).
 */
import { BatchedSocket } from './batchedSocket.js';
import { outcomeOf } from './outcome.js';
import type { KernelOutcome } from '../ports.js';
import { AF_UNIX, SOCK_DGRAM, unixSocketAddress } from './sockaddr.js';

/** `path` as in NOTIFY_SOCKET: a leading `@` means the abstract namespace. Does not wait. */
export function sendUnixDatagram(path: string, datagram: Uint8Array): KernelOutcome {
  const opened = BatchedSocket.open({ domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0 });
  if (opened.kind === 'refused') return outcomeOf(opened.errno);
  try {
    return outcomeOf(opened.socket.send(datagram, unixSocketAddress(path)));
  } finally {
    opened.socket.close();
  }
}
