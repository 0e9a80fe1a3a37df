import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecodeError } from '../../../src/base/errors.js';
import { flowTest } from '../../../src/conntrack/command/flowMatch.js';
import { newFlowPattern } from '../../../src/conntrack/command/flowPattern.js';
import { ByteText } from '../../../src/conntrack/text/byteText.js';
import { parseLabels } from '../../../src/conntrack/text/labels.js';
import { writeFlowLine } from '../../../src/conntrack/text/lineWriter.js';
import { MessageIndex } from '../../../src/conntrack/text/messageIndex.js';
import { writeFlowArguments } from '../../../src/conntrack/text/saveWriter.js';
import { writeFlowXml } from '../../../src/conntrack/text/xmlWriter.js';

const vectors = JSON.parse(
  readFileSync(join(__dirname, '../../vectors/netlink/text-captured.json'), 'utf8'),
) as { readonly hex: string }[];

const index = new MessageIndex();
const out = new ByteText(4_096, () => undefined);
const form = { extended: true, id: true, labels: parseLabels('1 one\n127 last\n') };
const passes = flowTest({
  ...newFlowPattern(),
  sourceNat: {},
  anyNat: { port: 5 },
  labels: new Uint8Array(16).fill(1),
});

const writes = (bytes: Uint8Array): void => {
  const own = new Uint8Array(bytes);
  try {
    index.read(new DataView(own.buffer), own, 0, own.length);
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
    return;
  }
  // What was accepted can be compared and written.
  passes(index);
  writeFlowLine(out, index, form, { nowSeconds: 0 });
  writeFlowXml(out, index, form, { nowSeconds: 0 });
  writeFlowArguments(out, index, '-A');
  out.endLine();
};

test('arbitrary bytes are written or give a DecodeError', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), writes), {
    interruptAfterTimeLimit: 5_000,
    numRuns: 20_000,
  });
});

test('a captured message with flipped bytes is written or gives a DecodeError', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...vectors),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
      (vector, flips) => {
        const bytes = Buffer.from(vector.hex, 'hex');
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        writes(bytes);
      },
    ),
    { interruptAfterTimeLimit: 5_000, numRuns: 20_000 },
  );
});

test('a captured message cut at any byte is written or gives a DecodeError', () => {
  for (const vector of vectors) {
    const bytes = Buffer.from(vector.hex, 'hex');
    for (let length = 0; length < bytes.length; length++) writes(bytes.subarray(0, length));
  }
});
