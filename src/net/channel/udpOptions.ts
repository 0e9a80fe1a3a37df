/**
 * Socket options of the replication channel (ip(7), ipv6(7), socket(7)), as conntrackd 1.4.7 sets
 * them but for two things. SO_REUSEADDR is not set: with it any user of the machine binds the port
 * too, and the kernel gives a unicast datagram to the last who did. And datagrams leave with TTL
 * 255 where no router carries them on: what arrives with it has crossed no router (RFC 5082).
 */
import { randomInt } from 'node:crypto';
import { EADDRINUSE } from '../../base/errno.js';
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';
import type { BatchedSocket } from '../socket/batchedSocket.js';
import type { ChannelSpec } from '../ports.js';
import { ipSocketAddress } from '../socket/sockaddr.js';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_ADD_MEMBERSHIP,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  IP_ADD_MEMBERSHIP,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_PKTINFO,
  IP_RECVTTL,
  IP_TTL,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_NO_CHECK,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
} from '../socket/socketOptions.js';

/** What has crossed a router arrives with less. */
const highestTtl = 255;

export interface FailedOption {
  readonly operation: string;
  readonly errno: number;
}

/** One system call, and what to call it when it fails. */
export type Step = readonly [operation: string, apply: () => number];

export function applySenderOptions(
  socket: BatchedSocket,
  spec: ChannelSpec,
  index: number,
): FailedOption | undefined {
  const steps: Step[] = [...deviceSteps(socket, spec)];
  const sendBufferBytes = spec.sendBufferBytes;
  if (sendBufferBytes !== undefined) {
    steps.push(['send buffer', () => setBuffer(socket, 'send', sendBufferBytes)]);
  }
  if (!spec.checksum) {
    steps.push(['SO_NO_CHECK', () => socket.setIntOption(SOL_SOCKET, SO_NO_CHECK, 1)]);
  }
  if (spec.kind === 'multicast') steps.push(...multicastSendSteps(socket, spec, index));
  else steps.push(unicastTtlStep(socket, spec.family));
  // A fixed source address is what lets the peer tell us from a stranger.
  const source = spec.localAddress;
  const bind = (port: number): number => {
    const address = source ?? wildcard(spec.family);
    return socket.bind(ipSocketAddress(address, port, scopeFor(address, index)));
  };
  if (spec.fromPrivilegedPort === true) {
    steps.push(['bind the sender', () => bindPrivileged(bind)]);
  } else if (source !== undefined) steps.push(['bind the sender', () => bind(0)]);
  return runSteps(steps);
}

export function applyReceiverOptions(
  socket: BatchedSocket,
  spec: ChannelSpec,
  index: number,
): FailedOption | undefined {
  const steps: Step[] = [
    // Links of one group on several interfaces have sockets of the same address and port, but for
    // the device.
    ...deviceSteps(socket, spec),
    ...informationSteps(socket, spec),
  ];
  const receiveBufferBytes = spec.receiveBufferBytes;
  if (receiveBufferBytes !== undefined) {
    steps.push(['receive buffer', () => setBuffer(socket, 'receive', receiveBufferBytes)]);
  }
  if (spec.family === 6) {
    steps.push(['IPV6_V6ONLY', () => socket.setIntOption(IPPROTO_IPV6, IPV6_V6ONLY, 1)]);
  }
  // conntrackd 1.4.7 binds multicast to the wildcard; binding to the group, as 1.4.9 does, keeps
  // unicast out.
  const local =
    spec.kind === 'multicast' ? spec.destination : (spec.localAddress ?? wildcard(spec.family));
  const bound = ipSocketAddress(local, spec.port, scopeFor(local, index));
  steps.push(['bind the receiver', () => socket.bind(bound)]);
  if (spec.kind === 'multicast') steps.push(...multicastReceiveSteps(socket, spec, index));
  return runSteps(steps);
}

/** As bindresvport(3) leaves out: ports below are well known. */
const lowestPrivilegedPort = 512;
const privilegedPorts = 512;

/** A random port below 1024; without the privilege, or where none is free, any. */
function bindPrivileged(bind: (port: number) => number): number {
  const first = randomInt(privilegedPorts);
  for (let i = 0; i < privilegedPorts; i++) {
    const errno = bind(lowestPrivilegedPort + ((first + i) % privilegedPorts));
    if (errno === 0) return 0;
    if (errno !== EADDRINUSE) break;
  }
  return bind(0);
}

function deviceSteps(socket: BatchedSocket, spec: ChannelSpec): Step[] {
  if (spec.bindToInterface !== true && spec.kind !== 'multicast') return [];
  const name = Buffer.from(`${spec.interfaceName}\0`, 'utf8');
  return [['SO_BINDTODEVICE', () => socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, name)]];
}

/** What arrives with it has crossed no router. */
export function unicastTtlStep(socket: BatchedSocket, family: IpFamily): Step {
  return family === 4
    ? ['IP_TTL', () => socket.setIntOption(IPPROTO_IP, IP_TTL, highestTtl)]
    : ['IPV6_UNICAST_HOPS', () => socket.setIntOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, highestTtl)];
}

/** Each datagram comes with its TTL and the device it came in by (controlMessages.ts). */
function informationSteps(socket: BatchedSocket, spec: ChannelSpec): Step[] {
  if (spec.family === 4) {
    return [
      ['IP_RECVTTL', () => socket.setIntOption(IPPROTO_IP, IP_RECVTTL, 1)],
      ['IP_PKTINFO', () => socket.setIntOption(IPPROTO_IP, IP_PKTINFO, 1)],
    ];
  }
  return [
    ['IPV6_RECVHOPLIMIT', () => socket.setIntOption(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)],
    ['IPV6_RECVPKTINFO', () => socket.setIntOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)],
  ];
}

/**
 * No router carries a link-local group on, whatever the TTL. Other groups leave with TTL 1, as
 * conntrackd's: a router of the network could carry them to strangers.
 */
function multicastTtl({ destination: { family, bytes } }: ChannelSpec): number {
  const [first = 0, second = 0, third = 0] = bytes;
  const isLinkLocal =
    family === 4 ? first === 224 && second === 0 && third === 0 : (second & 0x0f) <= 2;
  return isLinkLocal ? highestTtl : 1;
}

function multicastSendSteps(socket: BatchedSocket, spec: ChannelSpec, index: number): Step[] {
  const ttl = multicastTtl(spec);
  if (spec.family === 4) {
    const membership = membershipOf(spec, index);
    return [
      ['IP_MULTICAST_IF', () => socket.setOption(IPPROTO_IP, IP_MULTICAST_IF, membership)],
      ['IP_MULTICAST_TTL', () => socket.setIntOption(IPPROTO_IP, IP_MULTICAST_TTL, ttl)],
      ['IP_MULTICAST_LOOP', () => socket.setIntOption(IPPROTO_IP, IP_MULTICAST_LOOP, 0)],
    ];
  }
  return [
    ['IPV6_MULTICAST_IF', () => socket.setIntOption(IPPROTO_IPV6, IPV6_MULTICAST_IF, index)],
    ['IPV6_MULTICAST_HOPS', () => socket.setIntOption(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl)],
    ['IPV6_MULTICAST_LOOP', () => socket.setIntOption(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)],
  ];
}

/**
 * MULTICAST_ALL off: only what arrives on the interface that was joined, not what others joined
 * elsewhere.
 */
function multicastReceiveSteps(socket: BatchedSocket, spec: ChannelSpec, index: number): Step[] {
  const membership = membershipOf(spec, index);
  if (spec.family === 4) {
    return [
      ['IP_MULTICAST_ALL', () => socket.setIntOption(IPPROTO_IP, IP_MULTICAST_ALL, 0)],
      ['IP_ADD_MEMBERSHIP', () => socket.setOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership)],
    ];
  }
  return [
    ['IPV6_MULTICAST_ALL', () => socket.setIntOption(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)],
    ['IPV6_JOIN_GROUP', () => socket.setOption(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, membership)],
  ];
}

/** ip_mreqn: 4 group | 4 local address | s32 index. ipv6_mreq: 16 group | s32 index. */
function membershipOf(spec: ChannelSpec, index: number): Uint8Array {
  const addressBytes = spec.family === 4 ? 4 : 16;
  const localBytes = spec.family === 4 ? 4 : 0;
  const bytes = new Uint8Array(addressBytes + localBytes + 4);
  bytes.set(spec.destination.bytes);
  if (spec.family === 4 && spec.localAddress !== undefined) bytes.set(spec.localAddress.bytes, 4);
  new DataView(bytes.buffer).setInt32(addressBytes + localBytes, index, true);
  return bytes;
}

/**
 * The FORCE form ignores the system's limit but needs CAP_NET_ADMIN; else the limited form must do.
 */
export function setBuffer(socket: BatchedSocket, which: 'send' | 'receive', bytes: number): number {
  const isSend = which === 'send';
  const force = isSend ? SO_SNDBUFFORCE : SO_RCVBUFFORCE;
  const limited = isSend ? SO_SNDBUF : SO_RCVBUF;
  if (socket.setIntOption(SOL_SOCKET, force, bytes) === 0) return 0;
  return socket.setIntOption(SOL_SOCKET, limited, bytes);
}

/** Interface index for link-local and link-scoped multicast IPv6 addresses, else 0. */
export function scopeFor(address: IpAddress, index: number): number {
  const [first = 0, second = 0] = address.bytes;
  if (address.family === 4) return 0;
  return first === 0xff || (first === 0xfe && (second & 0xc0) === 0x80) ? index : 0;
}

function wildcard(family: 4 | 6): IpAddress {
  return { family, bytes: new Uint8Array(family === 4 ? 4 : 16) };
}

/** Up to the first that fails. */
export function runSteps(steps: readonly Step[]): FailedOption | undefined {
  for (const [operation, apply] of steps) {
    const errno = apply();
    if (errno !== 0) return { operation, errno };
  }
  return undefined;
}
