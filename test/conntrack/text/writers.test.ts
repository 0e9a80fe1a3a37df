/**
 * Writers that work on bytes of messages against those that work on views, over all captured and
 * constructed messages.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteText } from '../../../src/conntrack/text/byteText.js';
import { flowLine } from '../../../src/conntrack/text/flowLine.js';
import { flowXml } from '../../../src/conntrack/text/flowXml.js';
import { parseLabels } from '../../../src/conntrack/text/labels.js';
import { writeFlowLine } from '../../../src/conntrack/text/lineWriter.js';
import { MessageIndex } from '../../../src/conntrack/text/messageIndex.js';
import { flowFromMessage } from '../../../src/conntrack/text/messageView.js';
import { writeFlowArguments } from '../../../src/conntrack/text/saveWriter.js';
import { writeFlowXml } from '../../../src/conntrack/text/xmlWriter.js';

interface Vector {
  readonly name: string;
  readonly hex: string;
}

const vectors = ['text-formats.json', 'text-captured.json'].flatMap(
  (file) =>
    JSON.parse(readFileSync(join(__dirname, '../../vectors/netlink', file), 'utf8')) as Vector[],
);

const nowSeconds = 1_800_000_000;
const now = BigInt(nowSeconds) * 1_000_000_000n;
/**
 * A life ends in the second in which it is looked at: lines and views round it differently, see
 * lineWriter.ts.
 */
const mask = (text: string): string => text.replace(/(delta-time=|<deltatime>)\d+/, '$1?');

function indexOf(hex: string): MessageIndex {
  const bytes = new Uint8Array(Buffer.from(hex, 'hex'));
  const index = new MessageIndex();
  index.read(new DataView(bytes.buffer), bytes, 0, bytes.length);
  return index;
}

function written(write: (out: ByteText) => void, size = 65_536): string {
  let text = '';
  const out = new ByteText(size, (bytes) => (text += Buffer.from(bytes).toString('latin1')));
  write(out);
  out.flush();
  return text;
}

test.each(vectors.map((vector) => [vector.name, vector.hex] as const))(
  'line and XML of %s are those of its view',
  (_, hex) => {
    const index = indexOf(hex);
    const view = flowFromMessage(Buffer.from(hex, 'hex'));
    const form = { extended: true, id: true, kernelTimestamp: true };
    for (const event of ['new', 'update', 'destroy', undefined] as const) {
      const tag = event === undefined ? {} : { event };
      expect(mask(written((out) => writeFlowLine(out, index, form, { ...tag, nowSeconds })))).toBe(
        mask(flowLine(view, { ...form, ...tag, now })),
      );
      expect(mask(written((out) => writeFlowXml(out, index, form, { ...tag, nowSeconds })))).toBe(
        mask(flowXml(view, { ...form, ...tag, now })),
      );
    }
  },
);

test('a buffer that is full is handed on at the end of a line, and nothing is lost', () => {
  const { hex } = vectors[0]!;
  const index = indexOf(hex);
  const line = written((out) => writeFlowLine(out, index, {}, { nowSeconds }));
  const many = written((out) => {
    for (let i = 0; i < 100; i++) {
      writeFlowLine(out, index, {}, { nowSeconds });
      out.endLine();
    }
  }, 512);
  expect(many).toBe(`${line}\n`.repeat(100));
});

test.each([
  [0, '0'],
  [9, '9'],
  [10, '10'],
  [9_999, '9999'],
  [10_000, '10000'],
  [432_000, '432000'],
  [99_999_999, '99999999'],
  [100_000_000, '100000000'],
  [4_294_967_295, '4294967295'],
])('%d is written as %s', (value, text) => {
  expect(written((out) => out.decimal(value))).toBe(text);
});

test('arguments name state, tags and zone so that they can be read again', () => {
  const save = (name: string, command: string): string => {
    const found = vectors.find((vector) => vector.name === name);
    return written((out) => writeFlowArguments(out, indexOf(found!.hex), command));
  };
  expect(save('tcp-state-3', '-A')).toBe(
    '-A -t 100 -u SEEN_REPLY,ASSURED -s 192.0.2.10 -d 198.51.100.20 -r 198.51.100.20 ' +
      '-q 192.0.2.10 -p tcp --sport 40000 --dport 443 --reply-port-src 443 ' +
      '--reply-port-dst 40000 --state ESTABLISHED',
  );
});

test('labels are named by the lines of connlabel.conf, in the order of their bits', () => {
  const labels = parseLabels('# comment\n7 seven\n1 one # why\n 0x10\tsixteen\nbad\n500 much\n');
  expect([...labels]).toEqual([
    ['one', 1],
    ['seven', 7],
    ['sixteen', 16],
  ]);
});
