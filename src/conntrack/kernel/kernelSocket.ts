/**
 * Opens NETLINK_NETFILTER sockets for this room: one for events, one per dump, one per injector.
 */
import { BatchedSocket } from '../../net/socket/batchedSocket.js';
import { errnoName } from '../../base/errno.js';
import { refusedSocketText, requireDone } from '../../net/socket/outcome.js';
import {
  AF_NETLINK,
  NETLINK_NETFILTER,
  SOCK_RAW,
  netlinkPortId,
  netlinkSocketAddress,
} from '../../net/socket/sockaddr.js';
import { BugError, KernelError } from '../../base/errors.js';
import {
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_BROADCAST_ERROR,
  NETLINK_CAP_ACK,
  NETLINK_DROP_MEMBERSHIP,
  NETLINK_NO_ENOBUFS,
  SOL_NETLINK,
  SOL_SOCKET,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
} from '../../net/socket/socketOptions.js';

/** SK_MEMINFO_DROPS: the last of nine 32-bit words (linux/sock_diag.h). */
const memoryWords = 9;
const dropsAt = 8;

export interface KernelSocketOptions {
  readonly cells: number;
  readonly cellBytes: number;
  /** Bit mask of multicast groups, see `eventGroup`. */
  readonly groups?: number;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
}

export interface KernelSocket {
  readonly socket: BatchedSocket;
  /** Stands as nlmsg_pid in the events that this socket's requests cause. */
  readonly portId: number;
}

/**
 * Throws KernelError, EPERM without CAP_NET_ADMIN. Opens in the calling thread's network namespace.
 */
export function openKernelSocket(options: KernelSocketOptions): KernelSocket {
  const opened = BatchedSocket.open({
    domain: AF_NETLINK,
    type: SOCK_RAW,
    protocol: NETLINK_NETFILTER,
    cells: options.cells,
    cellBytes: options.cellBytes,
    // The port id of whoever caused a message stands in its header.
    ignoresSenders: true,
  });
  if (opened.kind === 'refused') {
    const { errno } = opened;
    const text = refusedSocketText(errno, 'CAP_NET_ADMIN');
    throw new KernelError('open ctnetlink socket', errno, text, { name: errnoName(errno) });
  }
  const { socket } = opened;
  try {
    if (options.receiveBufferBytes !== undefined) {
      setReceiveBuffer(socket, options.receiveBufferBytes);
    }
    if (options.sendBufferBytes !== undefined) {
      const half = options.sendBufferBytes >>> 1;
      requireDone('SO_SNDBUFFORCE', socket.setIntOption(SOL_SOCKET, SO_SNDBUFFORCE, half));
    }
    requireDone('NETLINK_CAP_ACK', socket.setIntOption(SOL_NETLINK, NETLINK_CAP_ACK, 1));
    requireDone('bind ctnetlink socket', socket.bind(netlinkSocketAddress(0, options.groups ?? 0)));
    const address = socket.localAddress();
    if (address === undefined) throw new BugError('a bound socket has no address');
    return { socket, portId: netlinkPortId(address) };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * `bytes` as the kernel counts them: it doubles what it is asked for, so half is asked for (as conntrackd
 * does).
 */
export function setReceiveBuffer(socket: BatchedSocket, bytes: number): void {
  requireDone(
    'SO_RCVBUFFORCE',
    socket.setIntOption(SOL_SOCKET, SO_RCVBUFFORCE, Math.min(bytes >>> 1, 0x3fff_ffff)),
  );
}

/** As the kernel counts them. */
export function receiveBufferBytes(socket: BatchedSocket): number {
  return socket.getIntOption(SOL_SOCKET, SO_RCVBUF) ?? 0;
}

/**
 * What the kernel could not queue on a socket since it was opened, modulo 2^32. It counts in every
 * mode, also where NETLINK_NO_ENOBUFS keeps the kernel from saying so by an errno.
 */
export class DropCounter {
  readonly #socket: BatchedSocket;
  readonly #words = new Uint32Array(memoryWords);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(socket: BatchedSocket) {
    this.#socket = socket;
  }

  /**
   * The last value where the kernel does not say it (before Linux 4.12) or the socket is closed.
   */
  read(): number {
    this.#socket.getOption(SOL_SOCKET, SO_MEMINFO, this.#bytes);
    return this.#words[dropsAt] ?? 0;
  }
}

/** Joins or leaves a multicast group, given as a bit of the mask. A closed socket is in none. */
export function setMembership(socket: BatchedSocket, groupBit: number, isMember: boolean): void {
  if (socket.isClosed) return;
  const option = isMember ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
  const group = Math.log2(groupBit) + 1;
  requireDone('event group', socket.setIntOption(SOL_NETLINK, option, group));
}

/**
 * Delivery is retried by the kernel instead of lost where the buffer is full: events of packets
 * come with the next packet of the flow, ends of flows are kept until delivered. No ENOBUFS: a flow
 * that makes no further event is missed in silence, and only the drop counter moves.
 */
export function makeReliable(socket: BatchedSocket): void {
  for (const option of [NETLINK_BROADCAST_ERROR, NETLINK_NO_ENOBUFS]) {
    requireDone('reliable events', socket.setIntOption(SOL_NETLINK, option, 1));
  }
}
