/** HMAC-SHA-256 by the OpenSSL inside Node.js, against RFC 4231 section 4. */
import { createHmac } from 'node:crypto';
import { EINVAL } from '../../../src/base/errno.js';
import { nativeAddon } from '../../../src/net/native/load.js';

const repeated = (byte: number, count: number): Buffer => Buffer.alloc(count, byte);
const counting = Buffer.from(Array.from({ length: 25 }, (_, i) => i + 1));

function digest(key: Uint8Array, bytes: Uint8Array): string {
  const into = new Uint8Array(32);
  expect(nativeAddon().hmacSha256(key, bytes, into)).toBe(0);
  return Buffer.from(into).toString('hex');
}

test.each([
  [
    ...['1', repeated(0x0b, 20), Buffer.from('Hi There')],
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    ...['2', Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')],
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    ...['3', repeated(0xaa, 20), repeated(0xdd, 50)],
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    ...['4', counting, repeated(0xcd, 50)],
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
  [
    ...['5, cut to 16 bytes', repeated(0x0c, 20), Buffer.from('Test With Truncation')],
    'a3b6167473100ee06e0c796c2955552b',
  ],
  [
    '6',
    repeated(0xaa, 131),
    Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    '7',
    repeated(0xaa, 131),
    Buffer.from(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
] as [string, Buffer, Buffer, string][])('test case %s', (_name, key, bytes, expected) => {
  expect(digest(key, bytes).slice(0, expected.length)).toBe(expected);
});

test('equals the HMAC of node:crypto for each length of key and text around the block', () => {
  for (const length of [1, 31, 32, 63, 64, 65, 127, 128, 200]) {
    const key = repeated(length, length);
    const bytes = repeated(length + 1, length * 3);
    expect(digest(key, bytes)).toBe(createHmac('sha256', key).update(bytes).digest('hex'));
  }
});

test('no key, or no room for the digest, is EINVAL', () => {
  const some = new Uint8Array(4);
  expect(nativeAddon().hmacSha256(new Uint8Array(0), some, new Uint8Array(32))).toBe(EINVAL);
  expect(nativeAddon().hmacSha256(some, some, new Uint8Array(31))).toBe(EINVAL);
});
