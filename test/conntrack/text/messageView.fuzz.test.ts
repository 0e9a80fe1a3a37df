import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError } from '../../../src/base/errors.js';
import { flowLine } from '../../../src/conntrack/text/flowLine.js';
import { flowXml } from '../../../src/conntrack/text/flowXml.js';
import { expectationLine } from '../../../src/conntrack/text/expectationText.js';
import {
  expectationFromMessage,
  flowFromMessage,
} from '../../../src/conntrack/text/messageView.js';

const vectors = JSON.parse(
  readFileSync(join(__dirname, '../../vectors/netlink/text-captured.json'), 'utf8'),
) as { readonly hex: string }[];

const decodes = (bytes: Uint8Array): void => {
  try {
    const flow = flowFromMessage(bytes);
    flowLine(flow);
    flowXml(flow);
    expectationLine(expectationFromMessage(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
};

test('arbitrary bytes give a view or a DecodeError', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), decodes), {
    interruptAfterTimeLimit: 5_000,
    numRuns: 20_000,
  });
});

test('a captured message with flipped bytes gives a view or a DecodeError', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...vectors),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
      (vector, flips) => {
        const bytes = Buffer.from(vector.hex, 'hex');
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        decodes(bytes);
      },
    ),
    { interruptAfterTimeLimit: 5_000, numRuns: 20_000 },
  );
});

test('a captured message cut at any byte gives a view or a DecodeError', () => {
  for (const vector of vectors) {
    const bytes = Buffer.from(vector.hex, 'hex');
    for (let length = 0; length < bytes.length; length++) decodes(bytes.subarray(0, length));
  }
});
