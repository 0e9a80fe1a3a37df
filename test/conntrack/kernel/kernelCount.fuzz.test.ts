/** The kernel's answer to IPCTNL_MSG_CT_GET_STATS, and anything in its place. */
import fc from 'fast-check';
import { entriesOf } from '../../../src/conntrack/kernel/kernelCount.js';

/** Linux 6.18: entries 206, limit 262144 (nfgenmsg of family 0; two attributes of 8 bytes). */
const answer = Buffer.from(
  '2400000005010000010000000000000000000000' + '08000100000000ce' + '0800020000040000',
  'hex',
);

const read = (bytes: Uint8Array, received = bytes.length): number | undefined =>
  entriesOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), received);

test('the number of entries is read', () => {
  expect(read(answer)).toBe(206);
});

test('an answer that is cut anywhere tells nothing, or the same', () => {
  for (let end = 0; end < answer.length; end++) {
    expect(read(answer, end)).toBe(end < 28 ? undefined : 206);
  }
});

test('anything else tells a number or nothing, and ends', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1_024, maxLength: 1_024 }),
      fc.nat(1_024),
      (bytes, n) => {
        bytes.set([0, 4, 0, 0, 0x05, 0x01]);
        const entries = read(bytes, n);
        return entries === undefined || Number.isInteger(entries);
      },
    ),
    { interruptAfterTimeLimit: 2_000 },
  );
});
