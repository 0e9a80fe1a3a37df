/**
 * Ethernet frames that move an address to this host's MAC: gratuitous ARP for IPv4 (RFC 5227
 * section 3), unsolicited neighbour advertisement for IPv6 (RFC 4861 section 7.2.6). Layouts as
 * keepalived 2.2.7 sends them. One table of fields per frame serves both directions.
 */
import { foldChecksum, onesComplementSum } from '../../base/checksum.js';
import { ByteReader, ByteWriter } from '../../base/cursor.js';
import { BugError, DecodeError } from '../../base/errors.js';
import type { IpAddress } from '../../base/ipAddress.js';

/** ETH_P_ARP, ETH_P_IPV6. */
export const etherTypeArp = 0x0806;
export const etherTypeIpv6 = 0x86dd;

export const gratuitousArpBytes = 42;
export const neighbourAdvertisementBytes = 86;

const broadcastMac = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
/** 33:33:00:00:00:01 and ff02::1. */
const allNodesMac = Uint8Array.from([0x33, 0x33, 0, 0, 0, 1]);
const allNodes = Uint8Array.from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

const icmpv6 = 58;
const neighbourAdvertisementType = 136;
/** RFC 4861 section 4.4: R, S, O flags. */
const routerFlag = 0x80;
const overrideFlag = 0x20;

/** `mac` has 6 bytes, `address` is IPv4. */
export interface GratuitousArp {
  readonly mac: Uint8Array;
  readonly address: IpAddress;
}

/** `mac` has 6 bytes, `address` is IPv6. */
export interface NeighbourAdvertisement {
  readonly mac: Uint8Array;
  readonly address: IpAddress;
  /** R: the interface forwards. */
  readonly isRouter: boolean;
}

/**
 *    0 ff:ff:ff:ff:ff:ff | 6 mac | 12 0806
 *   14 0001 | 16 0800 | 18 06 04 | 20 0001 (request) | 22 mac | 28 address | 32 ff:... | 38 address
 *
 * The request form with a broadcast target is what keepalived sends, and what every peer of it has
 * seen.
 */
export function encodeGratuitousArp(arp: GratuitousArp): Uint8Array {
  requireShape(arp.mac, arp.address, 4);
  const frame = new ByteWriter(gratuitousArpBytes);
  frame.bytes(broadcastMac).bytes(arp.mac).uint16(etherTypeArp);
  frame.uint16(1).uint16(0x0800).uint8(6).uint8(4).uint16(1);
  frame.bytes(arp.mac).bytes(arp.address.bytes).bytes(broadcastMac).bytes(arp.address.bytes);
  return frame.written();
}

/**
 * Accepts the request and the reply form. Throws DecodeError for anything that is no gratuitous
 * ARP.
 */
export function decodeGratuitousArp(frame: Uint8Array): GratuitousArp {
  const reader = new ByteReader(frame);
  reader.skip(12);
  expect('EtherType', reader.uint16(), etherTypeArp);
  expect('hardware type', reader.uint16(), 1);
  expect('protocol type', reader.uint16(), 0x0800);
  expect('address lengths', reader.uint16(), 0x0604);
  const operation = reader.uint16();
  if (operation !== 1 && operation !== 2) throw mismatch('operation', operation, 1);
  const mac = reader.bytes(6).slice();
  const address = reader.bytes(4).slice();
  reader.skip(6);
  const target = reader.bytes(4);
  if (Buffer.compare(address, target) !== 0) {
    throw new DecodeError('frame', 'sender and target address differ: not gratuitous');
  }
  return { mac, address: { family: 4, bytes: address } };
}

/**
 *    0 33:33:00:00:00:01 | 6 mac | 12 86dd
 *   14 60000000 | 18 payload 32 | 20 next header 58 | 21 hop limit 255 | 22 source = address | 38 ff02::1
 *   54 type 136, code 0 | 56 checksum | 58 flags, 3 reserved | 62 target = address | 78 option 2, length 1 | 80 mac
 *
 * Solicited is clear and Override set (RFC 4861 section 7.2.6). Source is the address itself.
 */
export function encodeNeighbourAdvertisement(advertisement: NeighbourAdvertisement): Uint8Array {
  const { mac, address } = advertisement;
  requireShape(mac, address, 6);
  const frame = new ByteWriter(neighbourAdvertisementBytes);
  frame.bytes(allNodesMac).bytes(mac).uint16(etherTypeIpv6);
  frame.uint32(0x60000000).uint16(32).uint8(icmpv6).uint8(255);
  frame.bytes(address.bytes).bytes(allNodes);
  frame.uint8(neighbourAdvertisementType).uint8(0).uint16(0);
  frame.uint8(overrideFlag | (advertisement.isRouter ? routerFlag : 0)).zeros(3);
  frame.bytes(address.bytes).uint8(2).uint8(1).bytes(mac);
  frame.patchUint16(56, icmpv6Checksum(frame.written()));
  return frame.written();
}

/** Throws DecodeError for anything that is no unsolicited neighbour advertisement with its MAC. */
export function decodeNeighbourAdvertisement(frame: Uint8Array): NeighbourAdvertisement {
  const reader = new ByteReader(frame);
  reader.skip(12);
  expect('EtherType', reader.uint16(), etherTypeIpv6);
  expect('IP version', reader.uint32() >>> 28, 6);
  expect('payload length', reader.uint16(), 32);
  expect('next header', reader.uint8(), icmpv6);
  // RFC 4861 section 7.1.2: a hop limit below 255 came through a router.
  expect('hop limit', reader.uint8(), 255);
  reader.skip(32);
  expect('ICMPv6 type', reader.uint8(), neighbourAdvertisementType);
  expect('ICMPv6 code', reader.uint8(), 0);
  reader.skip(2);
  const isRouter = (reader.uint32() & (routerFlag << 24)) !== 0;
  const address = reader.bytes(16).slice();
  expect('option', reader.uint16(), 0x0201);
  const mac = reader.bytes(6).slice();
  expect('checksum', icmpv6Checksum(frame.subarray(0, neighbourAdvertisementBytes)), 0);
  return { mac, address: { family: 6, bytes: address }, isRouter };
}

/**
 * Over the pseudo header (RFC 8200 section 8.1: both addresses, length, next header) and the 32
 * bytes.
 */
function icmpv6Checksum(frame: Uint8Array): number {
  return foldChecksum(onesComplementSum(frame.subarray(22), 32 + icmpv6));
}

function requireShape(mac: Uint8Array, address: IpAddress, family: 4 | 6): void {
  if (mac.length !== 6 || address.family !== family) {
    throw new BugError('a frame needs a MAC of 6 bytes and an address of its family', {
      macBytes: mac.length,
      family: address.family,
    });
  }
}

function expect(field: string, found: number, expected: number): void {
  if (found !== expected) throw mismatch(field, found, expected);
}

function mismatch(field: string, found: number, expected: number): DecodeError {
  return new DecodeError('frame', `${field} is ${found}, expected ${expected}`, {
    field,
    found,
    expected,
  });
}
