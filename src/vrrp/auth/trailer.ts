/**
 * The trailer of keepalived 2.4's auth_hmac: 28 bytes behind the complete advertisement.
 *
 *    byte 0   1        2-3        4-7                  8-9          10-11     12-27
 *   | type 1 | key id | reserved | seconds since 1970 | 1/65536 s | counter | HMAC-SHA-256/128 |
 *
 * The HMAC covers a pseudo header of 20 bytes (6 or 4 for the family, VRRP version, VRID, 0, the
 * source address in 16 bytes), the advertisement with its checksum as 0, the first 12 bytes of the
 * trailer, and 16 zero bytes. Destination, TTL and IP header are not covered, so that one signature
 * serves all unicast peers. Source: captures of keepalived 2.4.3.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader, ByteWriter } from '../../base/cursor.js';
import type { IpAddress } from '../../base/ipAddress.js';
import type { Secret } from '../../base/secret.js';

export const trailerLength = 28;
/** The only type there is. */
export const trailerType = 1;
const clearLength = 12;
const macLength = 16;
/** Of version, VRID and checksum in an advertisement. */
const vridOffset = 1;
const checksumOffset = 6;

/** `number`: seconds, fraction and counter as one value of 64 bits. */
export interface Trailer {
  readonly type: number;
  /** 1..255 where a key exists. */
  readonly keyId: number;
  readonly reserved: number;
  readonly number: bigint;
  /** 16 bytes. */
  readonly mac: Uint8Array;
}

/** An advertisement as its socket gave it, and where it came from. */
export interface Signed {
  /** Without trailer. */
  readonly advert: Uint8Array;
  readonly source: IpAddress;
}

/** `bytes`: the last 28 of a datagram. Throws DecodeError where there are fewer. */
export function decodeTrailer(bytes: Uint8Array): Trailer {
  const reader = new ByteReader(bytes);
  const type = reader.uint8();
  const keyId = reader.uint8();
  const reserved = reader.uint16();
  const seconds = BigInt(reader.uint32());
  const number = (seconds << 32n) | (BigInt(reader.uint16()) << 16n) | BigInt(reader.uint16());
  return { type, keyId, reserved, number, mac: reader.bytes(macLength).slice() };
}

/** The trailer of `signed` under a key, and with a number that no trailer before it had. */
export function encodeTrailer(
  signed: Signed,
  key: { readonly id: number; readonly secret: Secret },
  number: bigint,
): Uint8Array {
  const clear = new ByteWriter(clearLength)
    .uint8(trailerType)
    .uint8(key.id)
    .uint16(0)
    .uint32(Number(number >> 32n))
    .uint16(Number((number >> 16n) & 0xffffn))
    .uint16(Number(number & 0xffffn))
    .written();
  return Buffer.concat([clear, macOf(signed, clear, key.secret)]);
}

/** In constant time. */
export function isMacRight(signed: Signed, trailer: Uint8Array, secret: Secret): boolean {
  const expected = macOf(signed, trailer.subarray(0, clearLength), secret);
  return timingSafeEqual(expected, trailer.subarray(clearLength, trailerLength));
}

function macOf({ advert, source }: Signed, clear: Uint8Array, secret: Secret): Uint8Array {
  const pseudoHeader = new Uint8Array(20);
  pseudoHeader[0] = source.family;
  pseudoHeader[1] = (advert[0] ?? 0) >> 4;
  pseudoHeader[2] = advert[vridOffset] ?? 0;
  pseudoHeader.set(source.bytes, 4);
  const unchecked = advert.slice();
  unchecked.fill(0, checksumOffset, checksumOffset + 2);
  const mac = createHmac('sha256', secret.reveal())
    .update(pseudoHeader)
    .update(unchecked)
    .update(clear)
    .update(new Uint8Array(macLength))
    .digest();
  return mac.subarray(0, macLength);
}
