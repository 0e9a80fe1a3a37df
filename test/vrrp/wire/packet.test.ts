import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError } from '../../../src/base/errors.js';
import type { IpAddress } from '../../../src/base/ipAddress.js';
import {
  decodeAdvert,
  encodeAdvert,
  hasValidChecksum,
  type Advert,
} from '../../../src/vrrp/wire/packet.js';
import { fromJsonLine } from '../../../src/vrrp/machine/recording.js';
import { ip } from '../../support/vrrp/settings.js';

interface Vector {
  readonly name: string;
  readonly origin: string;
  readonly source: string;
  readonly destination: string;
  readonly hex: string;
  readonly advert: Advert;
}

const file = join(__dirname, '../../vectors/vrrp.json');
const vectors = fromJsonLine(readFileSync(file, 'utf8')) as readonly Vector[];

function bytesOf(vector: Vector): Uint8Array {
  return Uint8Array.from(Buffer.from(vector.hex, 'hex'));
}

function carriageOf(vector: Vector): { source: IpAddress; destination: IpAddress } {
  return { source: ip(vector.source), destination: ip(vector.destination) };
}

describe.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const bytes = bytesOf(vector);
  const carriage = carriageOf(vector);

  test('decodes to the fields', () => {
    expect(decodeAdvert(bytes, carriage.source.family)).toEqual(vector.advert);
  });

  test('is encoded to the captured bytes, checksum included', () => {
    expect(Buffer.from(encodeAdvert(vector.advert, carriage)).toString('hex')).toBe(vector.hex);
  });

  test('survives decode and encode', () => {
    const again = encodeAdvert(decodeAdvert(bytes, carriage.source.family), carriage);
    expect(again).toEqual(bytes);
  });

  test('has a valid checksum, and with any one bit turned it has not', () => {
    const { version } = vector.advert;
    expect(hasValidChecksum(bytes, version, carriage)).toBe(true);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(hasValidChecksum(damaged, version, carriage)).toBe(false);
    }
  });

  test('cut at any byte is a decode error', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeAdvert(bytes.subarray(0, length), carriage.source.family)).toThrow(
        DecodeError,
      );
    }
  });

  test('with a byte too many is a decode error', () => {
    const longer = Uint8Array.from([...bytes, 0]);
    expect(() => decodeAdvert(longer, carriage.source.family)).toThrow(DecodeError);
  });
});

test('the checksum of v3 unicast is for one peer only', () => {
  const vector = vectors.find(({ name }) => name.startsWith('v3 unicast'))!;
  const other = { source: ip(vector.source), destination: ip('10.0.0.3') };
  expect(hasValidChecksum(bytesOf(vector), 3, other)).toBe(false);
});

test('the reserved bits of v3 are ignored', () => {
  const bytes = bytesOf(vectors.find(({ name }) => name === 'v3, half a second')!);
  bytes[4]! |= 0xf0;
  expect(decodeAdvert(bytes, 4)).toMatchObject({ intervalCentiseconds: 50 });
});

test.each([0, 1, 4, 15])('version %i is a decode error', (version) => {
  const bytes = bytesOf(vectors[0]!);
  bytes[0] = (version << 4) | 1;
  expect(() => decodeAdvert(bytes, 4)).toThrow(DecodeError);
});

test('a v2 advert over IPv6 has no authentication area', () => {
  const advert: Advert = {
    version: 2,
    type: 1,
    virtualRouterId: 7,
    priority: 100,
    addresses: [ip('fe80::7')],
    authenticationType: 0,
    intervalSeconds: 1,
    authenticationData: new Uint8Array(0),
  };
  const bytes = encodeAdvert(advert, { source: ip('fe80::1'), destination: ip('ff02::12') });
  expect(bytes).toHaveLength(24);
  expect(decodeAdvert(bytes, 6)).toEqual(advert);
});

test.each([
  ['priority', { priority: 256 }],
  ['virtualRouterId', { virtualRouterId: -1 }],
  ['intervalCentiseconds', { intervalCentiseconds: 4096 }],
  ['addresses', { addresses: [ip('fe80::1')] }],
])('%s out of range is our own mistake', (_name, wrong) => {
  const vector = vectors.find(({ name }) => name === 'v3, half a second')!;
  const advert = { ...vector.advert, ...wrong };
  expect(() => encodeAdvert(advert, carriageOf(vector))).toThrow(/advert/);
});
