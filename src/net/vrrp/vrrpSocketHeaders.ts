/**
 * The IP headers around VRRP messages.
 *
 *   IPv4  45 | TOS c0 | total length | identification | flags 0 | TTL | protocol 112 | checksum | source | destination
 *   IPv6  6c 00 00 00 | payload length | next header 112 | hop limit | source | destination
 */
import { foldChecksum, onesComplementSum } from '../../base/checksum.js';
import { ByteWriter } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import type { IpAddress } from '../../base/ipAddress.js';
import { readPacketInformation } from '../socket/controlMessages.js';
import type { VrrpDatagram, VrrpSend } from '../ports.js';
import { decodeIpSocketAddress } from '../socket/sockaddr.js';

const vrrpProtocol = 112;
/** CS6, internetwork control: as keepalived 2.2.7 sends. */
const trafficClass = 0xc0;
const ipv4HeaderBytes = 20;
const ipv6HeaderBytes = 40;
/** Where a VRRP message has its checksum. */
const checksumOffset = 6;

/**
 * The whole IP packet. IPv4: the header checksum is left to the kernel. IPv6: fills the VRRP
 * checksum.
 */
export function encodeDatagram(request: VrrpSend): Uint8Array {
  return request.destination.family === 4 ? encodeIpv4(request) : encodeIpv6(request);
}

function encodeIpv4(request: VrrpSend): Uint8Array {
  return new ByteWriter(ipv4HeaderBytes + request.payload.length)
    .uint8(0x45)
    .uint8(trafficClass)
    .uint16(ipv4HeaderBytes + request.payload.length)
    .uint16(request.identification & 0xffff)
    .uint16(0)
    .uint8(request.ttl)
    .uint8(vrrpProtocol)
    .uint16(0)
    .bytes(request.source.bytes)
    .bytes(request.destination.bytes)
    .bytes(request.payload)
    .written();
}

function encodeIpv6(request: VrrpSend): Uint8Array {
  const { source, destination, payload } = request;
  const writer = new ByteWriter(ipv6HeaderBytes + payload.length)
    .uint32((0x60000000 | (trafficClass << 20)) >>> 0)
    .uint16(payload.length)
    .uint8(vrrpProtocol)
    .uint8(request.ttl)
    .bytes(source.bytes)
    .bytes(destination.bytes)
    .bytes(payload);
  if (payload.length >= checksumOffset + 2) {
    writer.patchUint16(ipv6HeaderBytes + checksumOffset, 0);
    const checksum = ipv6Checksum(source, destination, writer.written().subarray(ipv6HeaderBytes));
    writer.patchUint16(ipv6HeaderBytes + checksumOffset, checksum);
  }
  return writer.written();
}

/**
 * RFC 8200 section 8.1: pseudo-header {source, destination, u32 length, u32 next header} and
 * message.
 */
function ipv6Checksum(source: IpAddress, destination: IpAddress, message: Uint8Array): number {
  const sum = onesComplementSum(destination.bytes, onesComplementSum(source.bytes));
  return foldChecksum(onesComplementSum(message, sum + message.length + vrrpProtocol));
}

/** A packet as a raw IPv4 socket gives it, header first. undefined where that is no IPv4 packet. */
export function decodeIpv4Datagram(packet: Uint8Array): VrrpDatagram | undefined {
  const headerBytes = ((packet[0] ?? 0) & 0x0f) * 4;
  if ((packet[0] ?? 0) >> 4 !== 4 || headerBytes < ipv4HeaderBytes) return undefined;
  if (packet.length < headerBytes) return undefined;
  const totalLength = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
  return {
    source: { family: 4, bytes: copied(packet, 12, 16) },
    destination: { family: 4, bytes: copied(packet, 16, 20) },
    ttl: packet[8],
    totalLength,
    // Never more than the header claims; less where the packet was cut, which the length check
    // sees.
    payload: copied(packet, headerBytes, Math.max(headerBytes, totalLength)),
  };
}

/** What a raw IPv6 socket gives: the payload, the sender's address and control messages. */
export function decodeIpv6Datagram(
  payload: Uint8Array,
  sender: Uint8Array,
  control: Uint8Array,
): VrrpDatagram | undefined {
  let source: IpAddress;
  try {
    source = decodeIpSocketAddress(sender).address;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
  const { destination, ttl } = readPacketInformation(control);
  return {
    source,
    destination,
    ttl,
    totalLength: undefined,
    payload: copied(payload, 0, payload.length),
  };
}

/** A copy of its own also where `bytes` is a Buffer, whose `slice` shares memory. */
function copied(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}
