/** Packet sockets of the beat thread, opened in the network namespace of the calling thread. */
import { BatchedSocket } from '../socket/batchedSocket.js';
import { interfaceIndex, type Answer } from '../socket/interfaceQuery.js';
import { AF_PACKET, packetSocketAddress, SOCK_DGRAM } from '../socket/sockaddr.js';
import { SO_RCVBUF, SOL_SOCKET } from '../socket/socketOptions.js';
import {
  beatFilter,
  etherTypeOf,
  etherTypeProbe,
  probeFilter,
  type BeatEnds,
} from './beatFrames.js';

/** A descriptor that belongs to the caller, and the sockaddr_ll to send to. */
export interface BeatSocket {
  readonly descriptor: number;
  readonly link: Uint8Array;
}

const everybody = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const ownMachine = new Uint8Array(6);
/**
 * Doubled by the kernel; some 150 beats: more than a tick looks at, and no queue in which a beat
 * would grow old behind a flood.
 */
const receiveBytes = 65_536;

/**
 * Hears the peer's beats on `interfaceName` alone. Without a link address the first beats go to
 * everybody on the segment: the peer's thread hears them, its kernel drops them.
 */
export function openBeatSocket(
  interfaceName: string,
  ends: BeatEnds,
  linkAddress: Uint8Array = everybody,
): Answer<BeatSocket> {
  const protocol = etherTypeOf(ends.own.family);
  return open(interfaceName, protocol, beatFilter(ends), linkAddress);
}

/** On the loop-back. */
export function openProbeSocket(): Answer<BeatSocket> {
  return open('lo', etherTypeProbe, probeFilter(), ownMachine);
}

function open(
  interfaceName: string,
  protocol: number,
  filter: Uint8Array,
  linkAddress: Uint8Array,
): Answer<BeatSocket> {
  // Protocol 0 hears nothing until it is bound, and then only what the filter lets through.
  const opened = BatchedSocket.open({ domain: AF_PACKET, type: SOCK_DGRAM, protocol: 0 });
  if (opened.kind === 'refused') return opened;
  const { socket } = opened;
  try {
    const index = interfaceIndex(socket, interfaceName);
    if (index.kind === 'refused') return index;
    const link = packetSocketAddress(protocol, index.value, linkAddress);
    for (const step of [
      () => socket.attachFilter(filter),
      () => socket.setIntOption(SOL_SOCKET, SO_RCVBUF, receiveBytes),
      () => socket.bind(packetSocketAddress(protocol, index.value)),
    ]) {
      const errno = step();
      if (errno !== 0) return { kind: 'refused', errno };
    }
    const descriptor = socket.duplicate();
    if (descriptor < 0) return { kind: 'refused', errno: -descriptor };
    return { kind: 'value', value: { descriptor, link } };
  } finally {
    socket.close();
  }
}
