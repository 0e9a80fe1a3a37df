import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError } from '../../../src/base/errors.js';
import { Secret } from '../../../src/base/secret.js';
import {
  decodeTrailer,
  encodeTrailer,
  isMacRight,
  trailerLength,
} from '../../../src/vrrp/auth/trailer.js';
import { ip } from '../../support/vrrp/settings.js';

/** Bytes as hexadecimal digits; `number` as 16 of them. */
interface Vector {
  readonly name: string;
  readonly origin: string;
  readonly source: string;
  readonly key: string;
  readonly keyId: number;
  readonly number: string;
  readonly advert: string;
  readonly trailer: string;
}

const file = join(__dirname, '../../vectors/vrrp-auth-hmac.json');
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[];
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

test('there are vectors of both versions over both families', () => {
  expect(vectors.map(({ name }) => name)).toEqual([
    'version 2 over IPv4',
    'version 3 over IPv4',
    'version 2 over IPv6',
    'version 3 over IPv6',
    'version 2 over IPv4, of a keepalived',
  ]);
});

describe.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const secret = new Secret(bytes(vector.key));
  const number = BigInt(`0x${vector.number}`);
  const signed = { advert: bytes(vector.advert), source: ip(vector.source) };
  const trailer = bytes(vector.trailer);

  test('is made from the advert, the key and the number', () => {
    const made = encodeTrailer(signed, { id: vector.keyId, secret }, number);
    expect(Buffer.from(made).toString('hex')).toBe(vector.trailer);
  });

  test('decodes to its fields', () => {
    const { mac, ...fields } = decodeTrailer(trailer);
    expect(fields).toEqual({ type: 1, keyId: vector.keyId, reserved: 0, number });
    expect(Buffer.from(mac)).toEqual(Buffer.from(trailer.subarray(12)));
  });

  test('is right for the key, and for any checksum', () => {
    expect(isMacRight(signed, trailer, secret)).toBe(true);
    const advert = signed.advert.slice();
    advert.fill(0xff, 6, 8);
    expect(isMacRight({ ...signed, advert }, trailer, secret)).toBe(true);
  });

  test('is wrong after any turned bit of advert, source or trailer', () => {
    const turned = (of: Uint8Array, bit: number): Uint8Array =>
      of.map((byte, i) => (i === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
    for (let bit = 0; bit < 8 * signed.advert.length; bit++) {
      // The checksum is not covered.
      if (bit >> 3 === 6 || bit >> 3 === 7) continue;
      // Of the first byte the version is covered twice, of the type the advert alone.
      const advert = turned(signed.advert, bit);
      expect(isMacRight({ ...signed, advert }, trailer, secret)).toBe(false);
    }
    for (let bit = 0; bit < 8 * trailerLength; bit++) {
      expect(isMacRight(signed, turned(trailer, bit), secret)).toBe(false);
    }
    const other = vector.source.includes(':') ? 'fe80::3' : '10.0.0.3';
    expect(isMacRight({ ...signed, source: ip(other) }, trailer, secret)).toBe(false);
    expect(isMacRight(signed, trailer, new Secret(turned(secret.reveal(), 3)))).toBe(false);
  });

  test('a part of it decodes to nothing', () => {
    for (let length = 0; length < trailerLength; length++) {
      expect(() => decodeTrailer(trailer.subarray(0, length))).toThrow(DecodeError);
    }
  });
});
