/**
 * The VRRP advertisement as bytes, versions 2 and 3, over IPv4 and IPv6. Knows the layout and the checksum;
 * whether a router should believe an advertisement is decided in acceptance.ts.
 *
 * Version 2 (RFC 3768 section 5.1, with the authentication area of RFC 2338; IPv6 has no such area):
 *
 *    0                   1                   2                   3
 *   |version| type  |      VRID     |   priority    | address count |
 *   |   auth type   | interval, s   |           checksum            |
 *   |                    addresses, 4 or 16 bytes each              |
 *   |                 authentication data, 8 bytes                  |
 *
 * Version 3 (RFC 5798 section 5.1) has in the second row 4 reserved bits and 12 bits of interval in
 * centiseconds, then the checksum; no authentication area.
 */
import { foldChecksum, onesComplementSum } from '../../base/checksum.js';
import { ByteReader, ByteWriter } from '../../base/cursor.js';
import { BugError, DecodeError } from '../../base/errors.js';
import { ipFromBytes, type IpAddress, type IpFamily } from '../../base/ipAddress.js';

/** VRRP's IP protocol number. */
export const vrrpProtocol = 112;
/** ADVERTISEMENT, the only type there is. */
export const advertisementType = 1;
/** Bytes before the addresses. */
export const headerLength = 8;

/** Authentication types (RFC 2338 section 5.3.6). */
export const authenticationTypes = {
  none: 0,
  simplePassword: 1,
  ipAuthenticationHeader: 2,
} as const;

interface AdvertFields {
  /** Low nibble of the first byte. */
  readonly type: number;
  readonly virtualRouterId: number;
  readonly priority: number;
  /** All of one family, 0..255 of them. */
  readonly addresses: readonly IpAddress[];
}

export interface AdvertV2 extends AdvertFields {
  readonly version: 2;
  readonly authenticationType: number;
  readonly intervalSeconds: number;
  /** 8 bytes; empty over IPv6. */
  readonly authenticationData: Uint8Array;
}

export interface AdvertV3 extends AdvertFields {
  readonly version: 3;
  /** 0..4095. */
  readonly intervalCentiseconds: number;
}

export type Advert = AdvertV2 | AdvertV3;

/** The addresses of the IP packet that carries an advertisement. */
export interface Carriage {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** Bytes of a message of `version` with `count` addresses. */
export function advertLength(version: 2 | 3, family: IpFamily, count: number): number {
  return headerLength + count * addressLength(family) + authenticationLength(version, family);
}

/**
 * Reads a whole VRRP message. The checksum is not looked at (`hasValidChecksum`), nor is the type;
 * the reserved bits of version 3 are ignored (RFC 5798 section 5.2.6).
 *
 * Throws DecodeError where the version is not 2 or 3 or the length does not fit the address count.
 */
export function decodeAdvert(payload: Uint8Array, family: IpFamily): Advert {
  const reader = new ByteReader(payload);
  const first = reader.uint8();
  const version = first >> 4;
  if (version !== 2 && version !== 3) {
    throw new DecodeError('vrrp-version', `VRRP version ${version}`, { version });
  }
  const virtualRouterId = reader.uint8();
  const priority = reader.uint8();
  const count = reader.uint8();
  const secondRow = reader.uint16();
  reader.skip(2);
  const expected = advertLength(version, family, count);
  if (payload.length !== expected) {
    throw new DecodeError('vrrp-length', `has ${payload.length} bytes, expected ${expected}`, {
      length: payload.length,
      expected,
    });
  }
  const addresses = Array.from({ length: count }, () => readAddress(reader, family));
  const fields = { type: first & 0x0f, virtualRouterId, priority, addresses };
  if (version === 3) return { version, ...fields, intervalCentiseconds: secondRow & 0x0fff };
  return {
    version,
    ...fields,
    authenticationType: secondRow >> 8,
    intervalSeconds: secondRow & 0xff,
    authenticationData: reader.rest().slice(),
  };
}

/** Writes a whole VRRP message, checksum included. Throws BugError where a field does not fit. */
export function encodeAdvert(advert: Advert, carriage: Carriage): Uint8Array {
  const family = carriage.source.family;
  const length = advertLength(advert.version, family, advert.addresses.length);
  const writer = new ByteWriter(length)
    .uint8((advert.version << 4) | fits(advert.type, 0x0f))
    .uint8(fits(advert.virtualRouterId, 0xff))
    .uint8(fits(advert.priority, 0xff))
    .uint8(fits(advert.addresses.length, 0xff))
    .uint16(secondRowOf(advert))
    .uint16(0);
  for (const address of advert.addresses) {
    if (address.family !== family) throw new BugError('address of another family in an advert');
    writer.bytes(address.bytes);
  }
  if (advert.version === 2) {
    if (advert.authenticationData.length !== authenticationLength(2, family)) {
      throw new BugError('authentication data of the wrong length');
    }
    writer.bytes(advert.authenticationData);
  }
  const bytes = writer.written();
  writer.patchUint16(6, foldChecksum(checksumSum(bytes, advert.version, carriage)));
  return bytes;
}

/** Over IPv6 the kernel has checked before (IPV6_CHECKSUM); the arithmetic is the same. */
export function hasValidChecksum(payload: Uint8Array, version: 2 | 3, carriage: Carriage): boolean {
  return foldChecksum(checksumSum(payload, version, carriage)) === 0;
}

/**
 * v2 over IPv4 covers the message, authentication data included (RFC 3768 section 5.3.8). v3 over
 * IPv4 has a pseudo header with the actual destination, as keepalived 2.2.7 does it (RFC 9568
 * section 5.2.8 leaves it out); IPv6 has RFC 8200's pseudo header.
 */
function checksumSum(payload: Uint8Array, version: 2 | 3, carriage: Carriage): number {
  const isPlain = version === 2 && carriage.source.family === 4;
  if (isPlain) return onesComplementSum(payload);
  const addresses = onesComplementSum(
    carriage.destination.bytes,
    onesComplementSum(carriage.source.bytes),
  );
  return onesComplementSum(payload, addresses + vrrpProtocol + payload.length);
}

function secondRowOf(advert: Advert): number {
  if (advert.version === 3) return fits(advert.intervalCentiseconds, 0x0fff);
  return (fits(advert.authenticationType, 0xff) << 8) | fits(advert.intervalSeconds, 0xff);
}

function addressLength(family: IpFamily): number {
  return family === 4 ? 4 : 16;
}

function authenticationLength(version: 2 | 3, family: IpFamily): number {
  return version === 2 && family === 4 ? 8 : 0;
}

function readAddress(reader: ByteReader, family: IpFamily): IpAddress {
  const address = ipFromBytes(reader.bytes(addressLength(family)));
  if (address === undefined) throw new BugError('address length of no family');
  return address;
}

function fits(value: number, limit: number): number {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new BugError('field of an advert out of range', { value, limit });
  }
  return value;
}
