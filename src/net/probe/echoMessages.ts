/**
 * ICMP echo (RFC 792), ICMPv6 echo (RFC 4443 section 4): requests as bytes, and replies back.
 *
 *   0 type (8 or 128; reply 0 or 129) | 1 code 0 | 2 checksum | 4 identifier | 6 sequence | 8 payload
 *
 * Payload: 8 owner, chance of this process | 8 nonce, chance of this probe | filler 0x6b to `size`.
 */
import { foldChecksum, onesComplementSum } from '../../base/checksum.js';
import type { IpFamily } from '../../base/ipAddress.js';

export const echoHeaderBytes = 8;
const ipv4HeaderBytes = 20;
const nonceAt = echoHeaderBytes + 8;
const filler = 0x6b;
/** Of request and reply, by family. */
const types = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
/** The payload of a probe has room for owner and nonce. */
const nonceBytes = 8;

/** A message for many probes of one address: what differs is written into it each time. */
export class EchoRequest {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #family: IpFamily;

  /** `owner` has 8 bytes; `size` is that of the payload, at least 24. */
  constructor(family: IpFamily, identifier: number, owner: Uint8Array, size: number) {
    this.#family = family;
    this.bytes = new Uint8Array(echoHeaderBytes + size).fill(filler);
    this.#view = new DataView(this.bytes.buffer);
    this.bytes.set([types[family].request, 0, 0, 0]);
    this.#view.setUint16(4, identifier);
    this.bytes.set(owner, echoHeaderBytes);
  }

  /** The bytes until the next call. The checksum of ICMPv6 is left to the kernel (RFC 3542). */
  prepare(sequence: number, nonceHigh: number, nonceLow: number): Uint8Array {
    const view = this.#view;
    view.setUint16(6, sequence);
    view.setUint32(nonceAt, nonceHigh);
    view.setUint32(nonceAt + 4, nonceLow);
    view.setUint16(2, 0);
    if (this.#family === 4) view.setUint16(2, foldChecksum(onesComplementSum(this.bytes)));
    return this.bytes;
  }
}

/** `payload` shares memory with the datagram. */
export interface EchoReply {
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/**
 * undefined: it is no echo reply, or (IPv4) its checksum is wrong; that of ICMPv6 the kernel
 * checks.
 */
export function decodeEchoReply(family: IpFamily, message: Uint8Array): EchoReply | undefined {
  if (message.length < echoHeaderBytes) return undefined;
  if (message[0] !== types[family].reply || message[1] !== 0) return undefined;
  if (family === 4 && foldChecksum(onesComplementSum(message)) !== 0) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return {
    identifier: view.getUint16(4),
    sequence: view.getUint16(6),
    payload: message.subarray(echoHeaderBytes),
  };
}

/** The payload is that of the request: owner, nonce and filler, and nothing behind. */
export function isOwnPayload(
  payload: Uint8Array,
  owner: Uint8Array,
  nonceHigh: number,
  nonceLow: number,
  size: number,
): boolean {
  if (payload.length !== size || size < owner.length + nonceBytes) return false;
  for (let i = 0; i < owner.length; i++) if (payload[i] !== owner[i]) return false;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.getUint32(owner.length) !== nonceHigh) return false;
  if (view.getUint32(owner.length + 4) !== nonceLow) return false;
  for (let i = owner.length + nonceBytes; i < size; i++) if (payload[i] !== filler) return false;
  return true;
}

/** An IPv4 packet as a raw socket gives it: source and message, sharing memory. */
export function splitIpv4(
  packet: Uint8Array,
): { readonly source: Uint8Array; readonly message: Uint8Array } | undefined {
  const headerBytes = ((packet[0] ?? 0) & 0x0f) * 4;
  if ((packet[0] ?? 0) >> 4 !== 4 || headerBytes < ipv4HeaderBytes) return undefined;
  if (packet.length < headerBytes) return undefined;
  return { source: packet.subarray(12, 16), message: packet.subarray(headerBytes) };
}

/**
 * 45 | TOS 0 | total length | identification 0 | flags 0 | TTL | protocol 1 | checksum | source |
 * destination. Source 0.0.0.0 is filled in by the kernel, as are checksum and identification.
 */
export function ipv4Packet(
  message: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array | undefined,
  ttl: number,
): Uint8Array {
  const packet = new Uint8Array(ipv4HeaderBytes + message.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = ttl;
  packet[9] = 1;
  if (source !== undefined) packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(message, ipv4HeaderBytes);
  return packet;
}
