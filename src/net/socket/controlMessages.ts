/**
 * What the kernel tells beside a datagram (cmsg(3), ip(7), ipv6(7)), for both families.
 *
 *   cmsghdr on 64-bit Linux: u64 length with header | s32 level | s32 type | data, padded to 8
 *   in_pktinfo   s32 interface index | 4 local address | 4 destination
 *   in6_pktinfo  16 destination | s32 interface index
 */
import type { IpAddress } from '../../base/ipAddress.js';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IP_PKTINFO,
  IP_TTL,
} from './socketOptions.js';

/** Room for TTL and packet information of one family. */
export const packetControlBytes = 64;

const headerBytes = 16;

/** Absent is what the kernel did not tell. */
export interface PacketInformation {
  /** TTL or hop limit as it arrived. */
  readonly ttl: number | undefined;
  /** Of the device that the datagram came in by. */
  readonly interfaceIndex: number | undefined;
  /** Copied. */
  readonly destination: IpAddress | undefined;
}

/** Messages of other kinds, and what is behind a broken length, are left out. */
export function readPacketInformation(control: Uint8Array): PacketInformation {
  const view = new DataView(control.buffer, control.byteOffset, control.byteLength);
  const found: { -readonly [Key in keyof PacketInformation]: PacketInformation[Key] } = {
    ttl: undefined,
    interfaceIndex: undefined,
    destination: undefined,
  };
  const copied = (at: number, length: number): Uint8Array =>
    new Uint8Array(control.subarray(at, at + length));
  for (let at = 0; at + headerBytes <= control.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (length < headerBytes || at + length > control.length) break;
    const level = view.getInt32(at + 8, true);
    const type = view.getInt32(at + 12, true);
    const data = at + headerBytes;
    const room = length - headerBytes;
    const is = (wantedLevel: number, wantedType: number, bytes: number): boolean =>
      level === wantedLevel && type === wantedType && room >= bytes;
    if (is(IPPROTO_IP, IP_TTL, 4) || is(IPPROTO_IPV6, IPV6_HOPLIMIT, 4)) {
      found.ttl = view.getInt32(data, true);
    } else if (is(IPPROTO_IP, IP_PKTINFO, 12)) {
      found.interfaceIndex = view.getInt32(data, true);
      found.destination = { family: 4, bytes: copied(data + 8, 4) };
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO, 20)) {
      found.destination = { family: 6, bytes: copied(data, 16) };
      found.interfaceIndex = view.getInt32(data + 16, true);
    }
    at += (length + 7) & ~7;
  }
  return found;
}
