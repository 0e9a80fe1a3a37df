import fc from 'fast-check';
import { DecodeError } from '../../../src/base/errors.js';
import { parseIp } from '../../../src/base/ipAddress.js';
import { decodeBeatContent, encodeBeatContent } from '../../../src/agreement/wire/beatContent.js';
import { decodeBeat, encodeBeat, type BeatWay } from '../../../src/agreement/wire/beatDatagram.js';
import { anyContent } from '../../support/agreement/beats.js';

const interruptAfterTimeLimit = process.env['KEEPSTATE_FULL'] === '1' ? 30_000 : 3_000;
const bounded = { numRuns: 1_000_000, interruptAfterTimeLimit, markInterruptAsFailure: false };

const [from, to] = ['10.0.0.1', '10.0.0.2'].map((text) => parseIp(text));
if (from === undefined || to === undefined) throw new Error('no addresses');
const way: BeatWay = { from, to, key: undefined };

function decodesOrThrows(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

test('arbitrary bytes are a content, or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      decodesOrThrows(() => decodeBeatContent(bytes));
      // Behind the version more is read.
      decodesOrThrows(() => decodeBeatContent(Uint8Array.from([1, ...bytes])));
    }),
    bounded,
  );
});

test('a content that was changed anywhere is a content, or a DecodeError', () => {
  const change = fc.record({ at: fc.nat(511), to: fc.nat(255), cut: fc.nat(511) });
  fc.assert(
    fc.property(anyContent, change, (content, { at, to: value, cut }) => {
      const bytes = encodeBeatContent(content);
      const changed = bytes.slice();
      changed[at % bytes.length] = value;
      decodesOrThrows(() => decodeBeatContent(changed));
      decodesOrThrows(() => decodeBeatContent(bytes.subarray(0, cut % bytes.length)));
    }),
    bounded,
  );
});

test('what a node says survives the wire, in at most 512 bytes', () => {
  fc.assert(
    fc.property(anyContent, (content) => {
      const bytes = encodeBeatContent(content);
      expect(bytes.length).toBeLessThanOrEqual(512);
      expect(decodeBeatContent(bytes)).toEqual(content);
    }),
    bounded,
  );
});

test('arbitrary datagrams are no beats', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(() => decodeBeat(bytes, way)).toThrow(DecodeError);
    }),
    bounded,
  );
});

test('a datagram that was changed in one byte is none', () => {
  const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(107),
      fc.integer({ min: 1, max: 255 }),
      fc.option(sixteen),
      (content, at, by, key) => {
        const keyed = { ...way, key: key ?? undefined };
        const numbers = { session: 1n, sequence: 2n, number: 3, loopAgeMs: 4 };
        const sealed = encodeBeat({ intervalMs: 20, latenessMs: 0, ...numbers, content }, keyed);
        sealed[at % sealed.length] = (sealed[at % sealed.length] ?? 0) ^ by;
        expect(() => decodeBeat(sealed, keyed)).toThrow(DecodeError);
      },
    ),
    bounded,
  );
});
