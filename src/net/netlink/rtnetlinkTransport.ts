/**
 * Carries the `netlink` package's typed layer over our own socket, because the package's socket
 * aborts the process when its receive buffer overruns (docs/decisions/rtnetlink.md). Only the
 * kernel is listened to.
 */
import { EventEmitter } from 'node:events';
import { NetlinkSocket } from 'netlink/dist/netlink';
import type { RawNetlinkSocket } from 'netlink/dist/raw';
import { KernelError } from '../../base/errors.js';
import { BatchedSocket, messageTruncated } from '../socket/batchedSocket.js';
import { ENOBUFS, errnoName, errnoText } from '../../base/errno.js';
import { refusedSocketText, requireDone } from '../socket/outcome.js';
import {
  AF_NETLINK,
  NETLINK_ROUTE,
  SOCK_RAW,
  netlinkPortId,
  netlinkSocketAddress,
} from '../socket/sockaddr.js';
import {
  NETLINK_ADD_MEMBERSHIP,
  SOL_NETLINK,
  SOL_SOCKET,
  SO_RCVBUFFORCE,
} from '../socket/socketOptions.js';

/** The kernel fills at most 32 KiB of a dump into one datagram. */
const cellBytes = 32_768;
const cells = 8;

/** An rtnetlink socket in the network namespace of the calling thread. Throws KernelError. */
export function openRtnetlinkSocket(
  groups: readonly number[] = [],
  receiveBufferBytes?: number,
): BatchedSocket {
  const opened = BatchedSocket.open({
    domain: AF_NETLINK,
    type: SOCK_RAW,
    protocol: NETLINK_ROUTE,
    cells,
    cellBytes,
  });
  if (opened.kind === 'refused') {
    const { errno } = opened;
    throw new KernelError(
      'open rtnetlink socket',
      errno,
      refusedSocketText(errno, 'CAP_NET_ADMIN'),
    );
  }
  const { socket } = opened;
  if (receiveBufferBytes !== undefined) {
    socket.setIntOption(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes);
  }
  try {
    requireDone('bind rtnetlink socket', socket.bind(netlinkSocketAddress()));
    for (const group of groups) {
      const errno = socket.setIntOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
      requireDone(`join rtnetlink group ${group}`, errno);
    }
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** Calls `take` for each whole datagram of the kernel among the first `count` cells. */
export function forKernelDatagrams(
  socket: BatchedSocket,
  count: number,
  take: (datagram: Uint8Array) => void,
): void {
  for (let i = 0; i < count; i++) {
    if (((socket.flags[i] ?? 0) & messageTruncated) !== 0) continue;
    const sender = socket.senderAddress(i);
    if (sender.length >= 12 && netlinkPortId(sender) === 0) take(socket.datagram(i));
  }
}

/**
 * With `send`, whose errors are KernelErrors here: what the package's NetlinkSocket uses of its
 * RawNetlinkSocket.
 */
type TransportMembers = Pick<RawNetlinkSocket, 'address' | 'ref' | 'unref' | 'close'>;

class RtnetlinkTransport extends EventEmitter implements TransportMembers {
  readonly #socket: BatchedSocket;
  readonly #portId: number;

  constructor(socket: BatchedSocket) {
    super();
    this.#socket = socket;
    this.#portId = netlinkPortId(socket.localAddress() ?? netlinkSocketAddress());
    const onErrno = (errno: number): void => {
      if (this.listenerCount('error') > 0) this.emit('error', errnoError(errno));
    };
    socket.startReceiving({
      onBatch: (count) => {
        const datagrams: Buffer[] = [];
        forKernelDatagrams(socket, count, (bytes) => datagrams.push(Buffer.from(bytes)));
        for (const datagram of datagrams) this.emit('message', datagram, { port: 0, groups: 0 });
      },
      onOverrun: () => {
        onErrno(ENOBUFS);
      },
      onError: onErrno,
    });
  }

  address(): { port: number; groups: number } {
    return { port: this.#portId, groups: 0 };
  }

  send(
    message: Uint8Array | Uint8Array[],
    _options?: unknown,
    callback?: (error?: Error) => void,
  ): void {
    const errno = this.#socket.send(Buffer.concat(Array.isArray(message) ? message : [message]));
    callback?.(errno === 0 ? undefined : errnoError(errno));
  }

  ref(): void {
    this.#socket.setReferenced(true);
  }

  unref(): void {
    this.#socket.setReferenced(false);
  }

  close(): void {
    this.#socket.close();
  }
}

/** The package's request and multipart layer over `socket`, which it owns from now on. */
export function netlinkSocketOver(socket: BatchedSocket): NetlinkSocket {
  // RawNetlinkSocket has private members, so that the constructor admits no other class; the
  // transport has every member that NetlinkSocket calls, which the namespace tests exercise.
  const netlink = Reflect.construct(NetlinkSocket, [
    new RtnetlinkTransport(socket),
  ]) as NetlinkSocket;
  // An overrun loses answers, and their requests end by their time-out; unheard it would end the
  // process.
  netlink.on('error', () => undefined);
  return netlink;
}

function errnoError(errno: number): Error {
  return new KernelError('rtnetlink', errno, `${errnoName(errno)}: ${errnoText(errno)}`);
}
