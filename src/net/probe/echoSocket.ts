/**
 * One ICMP socket, for all probes of one interface and family: its options, its sending, and its
 * reading, which is paused when too much comes in.
 */
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';
import {
  milliseconds,
  seconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../base/time.js';
import {
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
  IPV6_UNICAST_HOPS,
  IP_HDRINCL,
  SOL_RAW,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_MEMINFO,
  SO_RCVBUF,
  ICMP6_FILTER,
  ICMP_FILTER,
} from '../socket/socketOptions.js';
import type { Carrier, CarrierMake } from './carrier.js';
import { decodeEchoReply, ipv4Packet, splitIpv4 } from './echoMessages.js';
import { FloodBrake, pause } from './floodBrake.js';
import type { OpenProbes } from './openProbes.js';

const receiveBufferBytes = 65_536;
/** SK_MEMINFO_DROPS of linux/sock_diag.h: the ninth of nine 32-bit figures. */
const dropsAt = 8 * 4;
const memoryInfoBytes = 9 * 4;
/** What the kernel dropped within this time may have been an answer. */
const dropsMatterFor = seconds(1);
/** Many probes are judged in one turn; the kernel is asked once for them. */
const lookPause = milliseconds(5);
const usualTtl = 64;
/** Let the kernel choose the hop limit. */
const kernelHops = -1;

export interface EchoSocketPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly make: CarrierMake;
  readonly probes: OpenProbes;
}

export interface EchoRoute {
  readonly destination: IpAddress;
  readonly source?: IpAddress;
  readonly ttl?: number;
}

/** Identifier and sequence number as one key of OpenProbes. */
export function echoKey(identifier: number, sequence: number): number {
  return identifier * 0x10000 + sequence;
}

export class EchoSocket {
  readonly #ports: EchoSocketPorts;
  readonly #family: IpFamily;
  readonly #carrier: Carrier;
  readonly #brake = new FloodBrake();
  #resume: ArmedTimer | undefined;
  /** ICMPv6: what the socket is set to. */
  #hops = kernelHops;
  #sticky = '';
  #drops = 0;
  #lookedAt: Microseconds | undefined;
  #droppedAt: Microseconds | undefined;

  /** The errno of the first step that the kernel refuses: ENODEV where there is no interface. */
  static open(
    ports: EchoSocketPorts,
    family: IpFamily,
    interfaceName: string | undefined,
  ): EchoSocket | number {
    const slot: { socket?: EchoSocket } = {};
    const opened = ports.make.open(family, {
      datagram: (bytes, source) => slot.socket?.datagram(bytes, source),
      // ENETDOWN and the like: the next probe tells.
      error: () => undefined,
    });
    if ('errno' in opened) return opened.errno;
    const { carrier } = opened;
    const errno = configure(carrier, family, interfaceName);
    if (errno !== 0) {
      carrier.close();
      return errno;
    }
    slot.socket = new EchoSocket(ports, family, carrier);
    carrier.read();
    return slot.socket;
  }

  private constructor(ports: EchoSocketPorts, family: IpFamily, carrier: Carrier) {
    this.#ports = ports;
    this.#family = family;
    this.#carrier = carrier;
  }

  /** Reading is paused, or the kernel has dropped what this socket could not hold. */
  get isFlooded(): boolean {
    if (this.#resume !== undefined) return true;
    const now = this.#ports.clock.now();
    if (this.#lookedAt === undefined || subtractTime(now, this.#lookedAt) >= lookPause) {
      this.#lookedAt = now;
      this.#lookForDrops(now);
    }
    return this.#droppedAt !== undefined && subtractTime(now, this.#droppedAt) < dropsMatterFor;
  }

  /** errno; `failed` is called where the kernel says so later. */
  send(message: Uint8Array, route: EchoRoute, failed: (errno: number) => void): number {
    const { destination, source, ttl } = route;
    if (this.#family === 4) {
      const packet = ipv4Packet(message, destination.bytes, source?.bytes, ttl ?? usualTtl);
      return this.#carrier.send(packet, destination, failed);
    }
    const errno = this.#setRoute(source, ttl ?? kernelHops);
    return errno === 0 ? this.#carrier.send(message, destination, failed) : errno;
  }

  datagram(bytes: Uint8Array, sender: Uint8Array | undefined): void {
    const { clock, probes } = this.#ports;
    if (this.#brake.isTooMuch(1, clock.now())) this.#brakeNow();
    const split = this.#family === 4 ? splitIpv4(bytes) : { source: sender, message: bytes };
    const reply = split === undefined ? undefined : decodeEchoReply(this.#family, split.message);
    const source = split?.source;
    if (reply === undefined || source === undefined) probes.malformed();
    else probes.received(echoKey(reply.identifier, reply.sequence), source, reply.payload);
  }

  close(): void {
    this.#resume?.cancel();
    this.#carrier.close();
  }

  #lookForDrops(now: Microseconds): void {
    const bytes = new Uint8Array(memoryInfoBytes);
    if (this.#carrier.getOption(SOL_SOCKET, SO_MEMINFO, bytes) < memoryInfoBytes) return;
    const drops = new DataView(bytes.buffer).getUint32(dropsAt, true);
    if (drops === this.#drops) return;
    this.#drops = drops;
    this.#droppedAt = now;
    this.#ports.probes.flooded();
  }

  #brakeNow(): void {
    if (this.#resume !== undefined) return;
    this.#carrier.stopReading();
    this.#ports.probes.flooded();
    this.#resume = this.#ports.timers.after(pause, () => {
      this.#resume = undefined;
      this.#carrier.read();
    });
  }

  /** in6_pktinfo: 16 address | s32 interface index. */
  #setRoute(source: IpAddress | undefined, hops: number): number {
    if (hops !== this.#hops) {
      const errno = this.#carrier.setOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, int(hops));
      if (errno !== 0) return errno;
      this.#hops = hops;
    }
    const wanted = source?.bytes.join('.') ?? '';
    if (wanted === this.#sticky) return 0;
    const information = new Uint8Array(20);
    if (source !== undefined) information.set(source.bytes);
    const errno = this.#carrier.setOption(IPPROTO_IPV6, IPV6_PKTINFO, information);
    if (errno === 0) this.#sticky = wanted;
    return errno;
  }
}

function configure(carrier: Carrier, family: IpFamily, interfaceName: string | undefined): number {
  const options: (readonly [number, number, Uint8Array])[] = [
    // Before the device, so that nothing else waits in the buffer.
    family === 4
      ? [SOL_RAW, ICMP_FILTER, new Uint8Array([0xfe, 0xff, 0xff, 0xff])]
      : [IPPROTO_ICMPV6, ICMP6_FILTER, icmp6Filter()],
    [SOL_SOCKET, SO_RCVBUF, int(receiveBufferBytes)],
    ...(family === 4 ? [[IPPROTO_IP, IP_HDRINCL, int(1)] as const] : []),
    ...(interfaceName === undefined
      ? []
      : [[SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${interfaceName}\0`)] as const]),
  ];
  for (const [level, name, value] of options) {
    const errno = carrier.setOption(level, name, value);
    if (errno !== 0) return errno;
  }
  return 0;
}

/** A set bit blocks its type: all but the echo reply, 129 (RFC 3542 section 3.2). */
function icmp6Filter(): Uint8Array {
  const filter = new Uint8Array(32).fill(0xff);
  new DataView(filter.buffer).setUint32(4 * (129 >> 5), ~(1 << (129 & 31)) >>> 0, true);
  return filter;
}

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
