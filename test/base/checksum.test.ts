import { foldChecksum, onesComplementSum } from '../../src/base/checksum.js';

const checksumOf = (message: Uint8Array): number => foldChecksum(onesComplementSum(message));

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('Internet checksum', () => {
  test('the example of RFC 1071 section 3', () => {
    expect(onesComplementSum(bytes('0001f203f4f5f6f7'))).toBe(0x2ddf0);
    expect(checksumOf(bytes('0001f203f4f5f6f7'))).toBe(~0xddf2 & 0xffff);
  });

  test('an IPv4 header with its checksum in place sums to zero', () => {
    // Sent by keepalived 2.2.7.
    const header = '45c0002800010000ff701adec0a8ff0be0000012';
    expect(checksumOf(bytes(header))).toBe(0);
    expect(checksumOf(bytes(header.replace('1ade', '0000')))).toBe(0x1ade);
  });

  test('an odd last byte counts as the high half of a word', () => {
    expect(onesComplementSum(bytes('01'))).toBe(0x100);
  });

  test('parts add up, and sums beyond 32 bits fold', () => {
    const sum = onesComplementSum(bytes('0001f203'));
    expect(onesComplementSum(bytes('f4f5f6f7'), sum)).toBe(0x2ddf0);
    expect(foldChecksum(2 ** 40)).toBe(~(2 ** 8) & 0xffff);
  });
});
