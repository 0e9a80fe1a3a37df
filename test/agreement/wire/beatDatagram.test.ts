import { createHmac } from 'node:crypto';
import { DecodeError } from '../../../src/base/errors.js';
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { decodeBeat, encodeBeat, type Beat } from '../../../src/agreement/wire/beatDatagram.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`no address ${text}`);
  return address;
}

const [from, to] = [ip('10.0.0.1'), ip('10.0.0.2')];
const key = Uint8Array.from(Buffer.alloc(20, 0x0b));

const beat: Beat = {
  ...{ intervalMs: 20, latenessMs: 3, session: 0x1112131415161718n, sequence: 5n },
  ...{ number: 9, loopAgeMs: 1_500, content: Uint8Array.from([1, 2, 3]) },
};

/** By hand from the picture at the head of beatDatagram.ts. */
const header = '6b736201 0014 0003 1112131415161718 0000000000000005 00000009 000005dc 010203';
const headerBytes = Buffer.from(header.replaceAll(' ', ''), 'hex');

test('a beat is header, content, and HMAC-SHA-256 of the addresses and both, cut to 16 bytes', () => {
  const sealed = Buffer.from(encodeBeat(beat, { from, to, key }));
  expect(sealed.subarray(0, -16)).toEqual(headerBytes);
  const whole = Buffer.concat([from.bytes, to.bytes, headerBytes]);
  const seal = createHmac('sha256', key).update(whole).digest().subarray(0, 16);
  expect(sealed.subarray(-16)).toEqual(seal);
  expect(decodeBeat(sealed, { from, to, key })).toEqual({
    ...beat,
    content: sealed.subarray(32, 35),
  });
});

test('without a key FNV-1a of 64 bits and eight zeros', () => {
  // FNV-1a of no bytes is its start, of "a" af63dc4c8601ec8c (draft-eastlake-fnv).
  let hash = 0xcbf29ce484222325n;
  for (const byte of [...from.bytes, ...to.bytes, ...headerBytes]) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) % 2n ** 64n;
  }
  const sealed = Buffer.from(encodeBeat(beat, { from, to, key: undefined }));
  expect(sealed.subarray(-16).toString('hex')).toBe(
    hash.toString(16).padStart(16, '0').padEnd(32, '0'),
  );
});

test('of another key, another path, or the other way, it is none', () => {
  const sealed = encodeBeat(beat, { from, to, key });
  const others = [
    { from, to, key: Uint8Array.from(Buffer.alloc(20, 0x0c)) },
    { from, to, key: undefined },
    { from: to, to: from, key },
    { from, to: ip('10.0.0.3'), key },
  ];
  for (const way of others) {
    expect(() => decodeBeat(sealed, way)).toThrow('sealed by another key, or changed on its way');
  }
});

test.each([
  ['too short', new Uint8Array(47)],
  ['too long', new Uint8Array(32 + 513 + 16)],
  ['of another magic', Uint8Array.from([0x6b, 0x73, 0x62, 2, ...new Uint8Array(44)])],
])('a datagram that is %s is no beat', (_title, bytes) => {
  expect(() => decodeBeat(bytes, { from, to, key })).toThrow(DecodeError);
});

test('times that are larger than their fields are the largest', () => {
  const late = { ...beat, intervalMs: 70_000, latenessMs: 70_000, loopAgeMs: 2 ** 33 };
  const decoded = decodeBeat(encodeBeat(late, { from, to, key }), { from, to, key });
  expect(decoded).toMatchObject({ intervalMs: 65_535, latenessMs: 65_535, loopAgeMs: 2 ** 32 - 1 });
});
