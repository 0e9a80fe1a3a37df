import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newScratch } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { FlowReader } from '../../../src/sync/wire/flowReader.js';
import { FlowWriter, longestFlowMessage } from '../../../src/sync/wire/flowWriter.js';
import {
  longestExpectationMessage,
  readExpectation,
  writeExpectation,
} from '../../../src/sync/wire/expectationCodec.js';
import {
  DatagramWalk,
  headerBytes,
  messageKind,
  walk,
  writeHeader,
  writeRange,
} from '../../../src/sync/wire/header.js';

interface Vector {
  readonly name: string;
  readonly payloadHex: string;
  readonly messages: readonly {
    readonly offset: number;
    readonly type: number;
    readonly flags: number;
    readonly len: number;
    readonly seq: number;
    readonly from?: number;
    readonly to?: number;
    readonly attrs?: readonly {
      readonly name: string;
      readonly len: number;
      readonly valueHex: string;
    }[];
  }[];
}

const folder = join(__dirname, '../../vectors/sync');
const vectors = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Vector);

const bytesOf = (vector: Vector): Uint8Array =>
  Uint8Array.from(Buffer.from(vector.payloadHex, 'hex'));
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const hex = (part: Uint8Array): string => Buffer.from(part).toString('hex');

const vectorsWith = (wanted: (type: number) => boolean): (readonly [string, Vector])[] =>
  vectors
    .filter(({ messages }) => messages.some(({ type }) => wanted(type)))
    .map((vector) => [vector.name, vector]);

/** conntrackd tells ports of zero for translated ICMP flows, and has no other use for them. */
const withoutBogusPorts = (vector: Vector): boolean => !vector.name.startsWith('icmp');

describe.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const bytes = bytesOf(vector);

  test('the walk finds each message with its header', () => {
    const step = new DatagramWalk();
    step.begin(viewOf(bytes));
    const found: unknown[] = [];
    while (step.next() === walk.message) {
      const { at, kind, flags, length, sequence, from, to } = step.header;
      found.push({ offset: at, type: kind, flags, len: length, seq: sequence, from, to });
    }
    expect(step.problem).toBeUndefined();
    expect(found).toEqual(
      vector.messages.map(({ offset, type, flags, len, seq, from, to }) => ({
        ...{ offset, type, flags, len, seq },
        ...{ from: from ?? 0, to: to ?? 0 },
      })),
    );
  });
});

test.each(vectorsWith((type) => type <= 2))(
  '%s: each flow decodes, and encodes to the captured bytes',
  (_name, vector) => {
    const bytes = bytesOf(vector);
    const names = new NameTable();
    const flow = newScratch(names);
    const reader = new FlowReader();
    for (const message of vector.messages.filter(({ type }) => type <= 2)) {
      const end = message.offset + message.len;
      expect(reader.read(viewOf(bytes), message.offset + headerBytes, end, flow)).toBe(true);
      const attributeNames = (message.attrs ?? []).map(({ name }) => name);
      const writer = new FlowWriter({
        sendTimeout: attributeNames.includes('NTA_TIMEOUT'),
        sendScales: attributeNames.some((name) => name.startsWith('NTA_TCP_WSCALE')),
      });
      const again = new Uint8Array(longestFlowMessage);
      const length = writer.write(viewOf(again), 0, flow);
      writeHeader(viewOf(again), 0, message.type, message.flags, length, message.seq);
      if (withoutBogusPorts(vector)) {
        expect(hex(again.subarray(0, length))).toBe(hex(bytes.subarray(message.offset, end)));
      } else {
        expect(length).toBe(
          message.len - 8 * attributeNames.filter((n) => /[SD]PAT/.test(n)).length,
        );
      }
    }
    expect(reader.unknownAttributes).toBe(0);
  },
);

test.each(vectorsWith((type) => type >= 3 && type <= 5))(
  '%s: each expectation decodes, and encodes to the captured bytes',
  (_name, vector) => {
    const bytes = bytesOf(vector);
    for (const message of vector.messages.filter(({ type }) => type >= 3 && type <= 5)) {
      const end = message.offset + message.len;
      let unknown = 0;
      const content = readExpectation(
        viewOf(bytes),
        message.offset + headerBytes,
        end,
        () => unknown++,
      );
      expect(unknown).toBe(0);
      if (content === undefined) throw new Error('not understood');
      const again = new Uint8Array(longestExpectationMessage);
      const sendTimeout = (message.attrs ?? []).some(({ name }) => name === 'NTA_EXP_TIMEOUT');
      const length = writeExpectation(viewOf(again), 0, content, sendTimeout);
      writeHeader(viewOf(again), 0, message.type, message.flags, length, message.seq);
      expect(hex(again.subarray(0, length))).toBe(hex(bytes.subarray(message.offset, end)));
    }
  },
);

test.each(vectorsWith((type) => type === messageKind.control))(
  '%s: each control message encodes to the captured bytes',
  (_name, vector) => {
    const bytes = bytesOf(vector);
    for (const message of vector.messages.filter(({ type }) => type === messageKind.control)) {
      const again = new Uint8Array(message.len);
      const view = viewOf(again);
      writeHeader(view, 0, message.type, message.flags, message.len, message.seq);
      if (message.from !== undefined) writeRange(view, 0, message.from, message.to ?? 0);
      const end = message.offset + message.len;
      expect(hex(again)).toBe(hex(bytes.subarray(message.offset, end)));
    }
  },
);

test('the captures hold each type of message', () => {
  const types = new Set(vectors.flatMap(({ messages }) => messages.map(({ type }) => type)));
  expect([...types].sort((a, b) => a - b)).toEqual(
    Object.values(messageKind).sort((a, b) => a - b),
  );
});
