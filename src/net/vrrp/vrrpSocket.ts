/**
 * VRRP datagrams: raw IP sockets of protocol 112, bound to one interface and to the group or the
 * local address, so that other VRRP traffic never reaches them. We write the IP header ourselves
 * (TOS 0xC0, identification, TTL, any source address); the kernel fills in the IPv4 header
 * checksum. Over the batched socket instead of the raw-socket package:
 * docs/decisions/vrrp-socket.md.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { EINVAL, ENODEV } from '../../base/errno.js';
import { outcomeOf, refusedSocketText } from '../socket/outcome.js';
import { interfaceIndex } from '../socket/interfaceQuery.js';
import type {
  KernelOutcome,
  VrrpDatagram,
  VrrpSend,
  VrrpSocket,
  VrrpSocketFactory,
  VrrpSocketSpec,
} from '../ports.js';
import { AF_INET, AF_INET6, ipSocketAddress, SOCK_RAW } from '../socket/sockaddr.js';
import { decodeIpv4Datagram, decodeIpv6Datagram, encodeDatagram } from './vrrpSocketHeaders.js';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_ADD_MEMBERSHIP,
  IPV6_CHECKSUM,
  IPV6_FREEBIND,
  IPV6_HDRINCL,
  IPV6_MULTICAST_ALL,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IP_ADD_MEMBERSHIP,
  IP_FREEBIND,
  IP_HDRINCL,
  IP_MULTICAST_ALL,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_DONTROUTE,
  SO_PRIORITY,
  SO_RCVBUFFORCE,
} from '../socket/socketOptions.js';

/** IPPROTO_VRRP. */
const vrrpProtocol = 112;
const cells = 16;
/**
 * IPv6: 8 bytes and 255 addresses of 16; IPv4: header with options, 255 addresses of 4,
 * authentication.
 */
const cellBytes = 4_352;
/** Two control messages of at most 40 bytes: hop limit and packet information. */
const controlBytes = 96;

/** TC_PRIO_CONTROL: ahead of other traffic in the interface's queue. */
const controlPriority = 7;
/** Where the checksum stands in a VRRP message; the kernel drops what does not match. */
const checksumOffset = 6;

type Option = readonly [level: number, name: number, value: number | Uint8Array];

export interface VrrpSocketOptions {
  /** An errno from receiving, such as ENETDOWN; receiving goes on where it can. */
  readonly onReceiveError?: (spec: VrrpSocketSpec, errno: number) => void;
}

/** Opens in the network namespace of the calling thread. */
export class RawVrrpSockets implements VrrpSocketFactory {
  readonly #options: VrrpSocketOptions;

  constructor(options: VrrpSocketOptions = {}) {
    this.#options = options;
  }

  open(
    spec: VrrpSocketSpec,
  ): { readonly socket: VrrpSocket } | { readonly refused: KernelOutcome } {
    const opened = BatchedSocket.open({
      domain: spec.family === 4 ? AF_INET : AF_INET6,
      type: SOCK_RAW,
      protocol: vrrpProtocol,
      cells,
      cellBytes,
      ...(spec.family === 6 ? { controlBytes } : {}),
    });
    if (opened.kind === 'refused') {
      const { errno } = opened;
      const message = refusedSocketText(errno, 'CAP_NET_RAW');
      return { refused: { kind: 'refused', errno, message } };
    }
    const { socket } = opened;
    const errno = configure(socket, spec);
    if (errno !== 0) {
      socket.close();
      return { refused: outcomeOf(errno) };
    }
    const onError = this.#options.onReceiveError;
    return {
      socket: new RawVrrpSocket(socket, spec, (code) => {
        onError?.(spec, code);
      }),
    };
  }
}

class RawVrrpSocket implements VrrpSocket {
  readonly #socket: BatchedSocket;
  readonly #spec: VrrpSocketSpec;
  #listener: ((datagram: VrrpDatagram) => void) | undefined;

  constructor(socket: BatchedSocket, spec: VrrpSocketSpec, onError: (errno: number) => void) {
    this.#socket = socket;
    this.#spec = spec;
    socket.startReceiving({
      onBatch: (count) => {
        this.#deliver(count);
      },
      // Raw sockets drop silently when full; the kernel has nothing to report.
      onOverrun: () => undefined,
      onError,
    });
  }

  onDatagram(listener: (datagram: VrrpDatagram) => void): void {
    this.#listener = listener;
  }

  drain(): void {
    for (;;) {
      const count = this.#socket.receive();
      if (count <= 0) return;
      this.#deliver(count);
    }
  }

  send(request: VrrpSend): KernelOutcome {
    const { family } = this.#spec;
    if (request.source.family !== family || request.destination.family !== family) {
      return outcomeOf(EINVAL);
    }
    // Raw IPv6 sockets take the port of the destination for a protocol number, or 0.
    const destination = ipSocketAddress(request.destination, 0, this.#scopeOf(request.destination));
    return outcomeOf(this.#socket.send(encodeDatagram(request), destination));
  }

  close(): void {
    this.#listener = undefined;
    this.#socket.close();
  }

  /** All datagrams are copied before the first is delivered: a listener may drain or close. */
  #deliver(count: number): void {
    const datagrams: VrrpDatagram[] = [];
    for (let i = 0; i < count; i++) {
      const datagram = this.#decode(i);
      if (datagram !== undefined && this.#isWanted(datagram)) datagrams.push(datagram);
    }
    for (const datagram of datagrams) this.#listener?.(datagram);
  }

  #decode(i: number): VrrpDatagram | undefined {
    const socket = this.#socket;
    if (this.#spec.family === 4) return decodeIpv4Datagram(socket.datagram(i));
    return decodeIpv6Datagram(socket.datagram(i), socket.senderAddress(i), socket.control(i));
  }

  /** The bind already says so; this also holds while a socket waits between open and bind. */
  #isWanted(datagram: VrrpDatagram): boolean {
    const expected = this.#spec.multicastGroup ?? this.#spec.localAddress;
    if (expected === undefined || datagram.destination === undefined) return true;
    return formatIp(expected) === formatIp(datagram.destination);
  }

  #scopeOf(address: IpAddress): number {
    return isLinkScoped(address) ? (indexOf(this.#socket, this.#spec.interfaceName) ?? 0) : 0;
  }
}

/** errno of the first step that the kernel refuses, or 0. */
function configure(socket: BatchedSocket, spec: VrrpSocketSpec): number {
  const index = indexOf(socket, spec.interfaceName);
  if (index === undefined) return ENODEV;
  const options: Option[] = [
    [SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${spec.interfaceName}\0`)],
    [SOL_SOCKET, SO_PRIORITY, controlPriority],
    ...(spec.receiveBufferBytes === undefined
      ? []
      : [[SOL_SOCKET, SO_RCVBUFFORCE, spec.receiveBufferBytes] as const]),
    ...(spec.family === 4 ? ipv4Options(spec, index) : ipv6Options(spec, index)),
  ];
  for (const [level, name, value] of options) {
    const errno =
      typeof value === 'number'
        ? socket.setIntOption(level, name, value)
        : socket.setOption(level, name, value);
    if (errno !== 0) return errno;
  }
  const bound = spec.multicastGroup ?? spec.localAddress;
  if (bound === undefined) return 0;
  return socket.bind(ipSocketAddress(bound, 0, isLinkScoped(bound) ? index : 0));
}

function ipv4Options(spec: VrrpSocketSpec, index: number): Option[] {
  const options: Option[] = [
    [IPPROTO_IP, IP_HDRINCL, 1],
    // The local address may appear later than the socket (keepalived 2.4 does the same).
    [IPPROTO_IP, IP_FREEBIND, 1],
    [IPPROTO_IP, IP_MULTICAST_ALL, 0],
    [IPPROTO_IP, IP_MULTICAST_LOOP, 0],
  ];
  if (spec.multicastGroup === undefined) return options;
  const membership = multicastRequest(spec.multicastGroup, index);
  return [
    ...options,
    [SOL_SOCKET, SO_DONTROUTE, 1],
    [IPPROTO_IP, IP_MULTICAST_IF, membership],
    [IPPROTO_IP, IP_ADD_MEMBERSHIP, membership],
  ];
}

function ipv6Options(spec: VrrpSocketSpec, index: number): Option[] {
  const options: Option[] = [
    [IPPROTO_IPV6, IPV6_HDRINCL, 1],
    [IPPROTO_IPV6, IPV6_FREEBIND, 1],
    [IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0],
    [IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0],
    [IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1],
    [IPPROTO_IPV6, IPV6_RECVPKTINFO, 1],
    [IPPROTO_IPV6, IPV6_CHECKSUM, checksumOffset],
  ];
  if (spec.multicastGroup === undefined) return options;
  return [
    ...options,
    [IPPROTO_IPV6, IPV6_MULTICAST_IF, index],
    [IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, multicastRequest(spec.multicastGroup, index)],
  ];
}

/** ip_mreqn: 4 group | 4 local address | s32 index. ipv6_mreq: 16 group | u32 index. */
function multicastRequest(group: IpAddress, index: number): Uint8Array {
  const isIpv4 = group.family === 4;
  const bytes = new Uint8Array(isIpv4 ? 12 : 20);
  bytes.set(group.bytes);
  new DataView(bytes.buffer).setInt32(isIpv4 ? 8 : 16, index, true);
  return bytes;
}

/** fe80::/10, or multicast of interface or link scope: such an address needs an interface. */
function isLinkScoped(address: IpAddress): boolean {
  const [first = 0, second = 0] = address.bytes;
  if (address.family === 4) return false;
  if (first === 0xff) return (second & 0x0f) <= 2;
  return first === 0xfe && (second & 0xc0) === 0x80;
}

function indexOf(socket: BatchedSocket, name: string): number | undefined {
  const answer = interfaceIndex(socket, name);
  return answer.kind === 'value' ? answer.value : undefined;
}
