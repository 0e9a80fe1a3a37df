/**
 * Sends gratuitous ARP and unsolicited neighbour advertisements over one AF_PACKET socket. Index,
 * MAC and the Router flag are read at each call, so that a replaced or renamed interface is
 * announced rightly.
 */
import { readFileSync } from 'node:fs';
import type { IpAddress } from '../../base/ipAddress.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { ENODEV, ENOENT } from '../../base/errno.js';
import { outcomeOf } from '../socket/outcome.js';
import {
  encodeGratuitousArp,
  encodeNeighbourAdvertisement,
  etherTypeArp,
  etherTypeIpv6,
} from './frames.js';
import {
  hardwareEthernet,
  interfaceHardwareAddress,
  interfaceIndex,
} from '../socket/interfaceQuery.js';
import type { KernelOutcome, NeighbourAnnouncer } from '../ports.js';
import { AF_PACKET, SOCK_RAW, packetSocketAddress } from '../socket/sockaddr.js';

/** Whether the interface forwards IPv6: then we are a router to its neighbours. */
export type ForwardingReader = (interfaceName: string) => boolean;

export class PacketAnnouncer implements NeighbourAnnouncer {
  readonly #socket: BatchedSocket;
  readonly #forwards: ForwardingReader;

  /** Needs CAP_NET_RAW. */
  static open(
    forwards: ForwardingReader = ipv6Forwarding,
  ):
    | { readonly kind: 'open'; readonly announcer: PacketAnnouncer }
    | { readonly kind: 'refused'; readonly errno: number } {
    // Protocol 0: the socket sends and never receives.
    const opened = BatchedSocket.open({ domain: AF_PACKET, type: SOCK_RAW, protocol: 0 });
    if (opened.kind === 'refused') return opened;
    return { kind: 'open', announcer: new PacketAnnouncer(opened.socket, forwards) };
  }

  private constructor(socket: BatchedSocket, forwards: ForwardingReader) {
    this.#socket = socket;
    this.#forwards = forwards;
  }

  /**
   * `absent`: there is no such interface, or it has no Ethernet neighbours to tell (loopback,
   * tunnels).
   */
  announce(interfaceName: string, address: IpAddress): KernelOutcome {
    const index = interfaceIndex(this.#socket, interfaceName);
    if (index.kind === 'refused') return outcomeOf(index.errno, [ENODEV]);
    const hardware = interfaceHardwareAddress(this.#socket, interfaceName);
    if (hardware.kind === 'refused') return outcomeOf(hardware.errno, [ENODEV]);
    if (hardware.value.type !== hardwareEthernet) return { kind: 'absent' };
    const mac = hardware.value.address;
    const isIpv4 = address.family === 4;
    const frame = isIpv4
      ? encodeGratuitousArp({ mac, address })
      : encodeNeighbourAdvertisement({ mac, address, isRouter: this.#forwards(interfaceName) });
    const protocol = isIpv4 ? etherTypeArp : etherTypeIpv6;
    const destination = packetSocketAddress(protocol, index.value, frame.subarray(0, 6));
    return outcomeOf(this.#socket.send(frame, destination), [ENODEV]);
  }

  close(): void {
    this.#socket.close();
  }
}

/** net.ipv6.conf.NAME.forwarding; false where IPv6 is absent. */
export function ipv6Forwarding(interfaceName: string): boolean {
  try {
    const text = readFileSync(`/proc/sys/net/ipv6/conf/${interfaceName}/forwarding`, 'utf8');
    return text.trim() !== '0';
  } catch (error) {
    if (isErrno(error, ENOENT)) return false;
    throw error;
  }
}

function isErrno(error: unknown, errno: number): boolean {
  return error instanceof Error && 'errno' in error && error.errno === -errno;
}
