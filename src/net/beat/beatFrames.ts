/**
 * IP and UDP headers of a beat (docs of the rest: src/net/native/beat_wire.h), and the filters that
 * let only the peer's beats, or only the probe, up to their sockets.
 *
 *   IPv4  45 c0 | length | identification 0 | 4000 do not fragment | TTL 255 | 17 | checksum | source | destination
 *   IPv6  6c 00 00 00 | payload length | 17 | hop limit 255 | source | destination
 *   UDP   source port | destination port | length | checksum
 *
 * Lengths and checksums are left to the thread. A hop limit of 255 cannot have been routed (RFC
 * 5082).
 */
import { ByteWriter } from '../../base/cursor.js';
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';

const protocolUdp = 17;
const ipv4HeaderBytes = 20;
const ipv6HeaderBytes = 40;
const mostHops = 255;
/** 8 of UDP, 32 of the beat's header, 16 of the seal, and up to 512 of content. */
const leastUdpLength = 8 + 32 + 16;
const mostUdpLength = leastUdpLength + 512;

/** Both ends have the same port and the same family. */
export interface BeatEnds {
  readonly own: IpAddress;
  readonly peer: IpAddress;
  readonly port: number;
}

/** ETH_P_IP, ETH_P_IPV6. */
export function etherTypeOf(family: IpFamily): number {
  return family === 4 ? 0x0800 : 0x86dd;
}

/** ETH_P_802_EX1: for experiments on the own machine; the probe never leaves it. */
export const etherTypeProbe = 0x88b5;

/** 28 bytes for IPv4, 48 for IPv6. */
export function beatPrefix({ own, peer, port }: BeatEnds): Uint8Array {
  const writer = new ByteWriter(ipv6HeaderBytes + 8);
  if (own.family === 4) {
    writer.uint16(0x45c0).uint16(0).uint16(0).uint16(0x4000);
    writer.uint8(mostHops).uint8(protocolUdp).uint16(0);
  } else {
    writer.uint32(0x6c00_0000).uint16(0).uint8(protocolUdp).uint8(mostHops);
  }
  writer.bytes(own.bytes).bytes(peer.bytes);
  return writer.uint16(port).uint16(port).uint16(0).uint16(0).written();
}

/** `load` reads 1, 2 or 4 bytes at an offset into the IP header. */
interface Condition {
  readonly load: 1 | 2 | 4;
  readonly at: number;
  readonly mask?: number;
  readonly is: 'equal' | 'atMost' | 'atLeast';
  readonly value: number;
}

/** Opcodes of classic BPF (linux/bpf_common.h). */
const loads = { 1: 0x30, 2: 0x28, 4: 0x20 } as const;
const and = 0x54;
const jumpEqual = 0x15;
const jumpGreater = 0x25;
const jumpGreaterOrEqual = 0x35;
const give = 0x06;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: 0 to this machine, 1 broadcast, 3 to another one, 4 leaving. */
const packetType = 0xffff_f004;
const isIncoming: Condition = { load: 1, at: packetType, is: 'atMost', value: 1 };

/** For a packet socket of type SOCK_DGRAM: struct sock_filter, 8 bytes each. */
export function beatFilter(ends: BeatEnds): Uint8Array {
  const { own, peer, port } = ends;
  const udp = own.family === 4 ? ipv4HeaderBytes : ipv6HeaderBytes;
  const addresses = udp - 2 * own.bytes.length;
  return filterOf([
    isIncoming,
    ...(own.family === 4 ? plainIpv4 : plainIpv6),
    ...wordsEqual(addresses, peer.bytes),
    ...wordsEqual(addresses + peer.bytes.length, own.bytes),
    { load: 2, at: udp + 2, is: 'equal', value: port },
    { load: 2, at: udp + 4, is: 'atLeast', value: leastUdpLength },
    { load: 2, at: udp + 4, is: 'atMost', value: mostUdpLength },
  ]);
}

export function probeFilter(): Uint8Array {
  return filterOf([isIncoming]);
}

const plainIpv4: readonly Condition[] = [
  { load: 1, at: 0, is: 'equal', value: 0x45 },
  { load: 2, at: 6, mask: 0x3fff, is: 'equal', value: 0 },
  { load: 1, at: 8, is: 'equal', value: mostHops },
  { load: 1, at: 9, is: 'equal', value: protocolUdp },
];

const plainIpv6: readonly Condition[] = [
  { load: 1, at: 0, mask: 0xf0, is: 'equal', value: 0x60 },
  { load: 1, at: 6, is: 'equal', value: protocolUdp },
  { load: 1, at: 7, is: 'equal', value: mostHops },
];

function wordsEqual(at: number, bytes: Uint8Array): Condition[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => {
    return { load: 4, at: at + 4 * i, is: 'equal', value: view.getUint32(4 * i) };
  });
}

/** All conditions hold: the whole packet; else nothing of it. */
function filterOf(conditions: readonly Condition[]): Uint8Array {
  const steps: Step[] = [];
  const total = conditions.reduce((sum, { mask }) => sum + (mask === undefined ? 2 : 3), 0);
  for (const { load, at, mask, is, value } of conditions) {
    steps.push([loads[load], 0, 0, at]);
    if (mask !== undefined) steps.push([and, 0, 0, mask]);
    // Over the steps that are left and the one that gives, to the last.
    const refuse = total - steps.length;
    if (is === 'equal') steps.push([jumpEqual, 0, refuse, value]);
    else if (is === 'atLeast') steps.push([jumpGreaterOrEqual, 0, refuse, value]);
    else steps.push([jumpGreater, refuse, 0, value]);
  }
  return assemble([...steps, [give, 0, 0, 0xffff], [give, 0, 0, 0]]);
}

/** Opcode, steps to skip where it holds, where it does not, and the constant. */
type Step = readonly [number, number, number, number];

function assemble(steps: readonly Step[]): Uint8Array {
  const program = new Uint8Array(steps.length * 8);
  const view = new DataView(program.buffer);
  steps.forEach(([code, yes, no, value], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, yes);
    view.setUint8(8 * i + 3, no);
    view.setUint32(8 * i + 4, value, true);
  });
  return program;
}
