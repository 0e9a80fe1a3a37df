import * as fc from 'fast-check';
import { DecodeError } from '../../../src/base/errors.js';
import {
  decodeAddress,
  decodeLink,
  splitMessages,
} from '../../../src/net/netlink/rtnetlinkDecode.js';
import { lossesIn } from '../../../src/net/netlink/routingWatch.js';

const routing = (bytes: Uint8Array): unknown =>
  [25, 33].map((type) => lossesIn([{ type, body: bytes }]));
const decoders = { splitMessages, decodeLink, decodeAddress, routing };

describe('rtnetlink decoders', () => {
  test.each(Object.entries(decoders))('%s gives a value or a DecodeError', (_name, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { interruptAfterTimeLimit: 3_000, numRuns: 20_000 },
    );
  });

  test('attributes that nobody knows change nothing', () => {
    const header = Buffer.from('0220800002000000', 'hex');
    const local = Buffer.from('080002000a050564', 'hex');
    const known = decodeAddress(Buffer.concat([header, local]));
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 0x3fff }),
        fc.uint8Array({ maxLength: 40 }),
        (type, value) => {
          const unknown = Buffer.alloc(4 + ((value.length + 3) & ~3));
          unknown.writeUInt16LE(4 + value.length, 0);
          unknown.writeUInt16LE(type, 2);
          unknown.set(value, 4);
          expect(decodeAddress(Buffer.concat([header, unknown, local]))).toEqual(known);
        },
      ),
      { interruptAfterTimeLimit: 2_000 },
    );
  });
});
