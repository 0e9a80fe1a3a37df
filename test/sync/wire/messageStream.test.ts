/** Messages come out of a stream whole, however it was cut; a stream that is out of step ends, before the torn message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { longestStreamMessage, MessageStream } from '../../../src/sync/wire/messageStream.js';

const capture = JSON.parse(
  readFileSync(join(__dirname, '../../vectors/sync/tcp-transport-bulk.json'), 'utf8'),
) as { payloadHex: string; messages: { len: number }[] };
const bytes = Uint8Array.from(Buffer.from(capture.payloadHex, 'hex'));

function feed(chunks: readonly Uint8Array[]): { out: Buffer; calls: number; inStep: boolean } {
  const stream = new MessageStream();
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    const inStep = stream.push(chunk, (messages) => out.push(Buffer.from(messages)));
    if (!inStep) return { out: Buffer.concat(out), calls: out.length, inStep };
  }
  return { out: Buffer.concat(out), calls: out.length, inStep: true };
}

function header(length: number, first = 0x1a): Uint8Array {
  return Uint8Array.from([first, 0, length >>> 8, length & 0xff, 0, 0, 0, 1]);
}

test('messages that lie together in the capture are delivered together', () => {
  expect(feed([bytes])).toEqual({ out: Buffer.from(bytes), calls: 1, inStep: true });
});

test('cut at any two places the capture comes out the same, and nothing but whole messages', () => {
  const ends = [76, 152, 228];
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 7) {
      const stream = new MessageStream();
      const out: Buffer[] = [];
      let total = 0;
      for (const chunk of [
        bytes.subarray(0, first),
        bytes.subarray(first, second),
        bytes.subarray(second),
      ]) {
        stream.push(chunk, (messages) => {
          out.push(Buffer.from(messages));
          total += messages.length;
          expect(ends).toContain(total);
        });
      }
      expect(Buffer.concat(out).equals(bytes)).toBe(true);
      expect(stream.held).toBe(0);
    }
  }
});

test('one byte at a time is enough', () => {
  expect(feed([...bytes].map((byte) => Uint8Array.of(byte))).out.equals(bytes)).toBe(true);
});

test.each([
  ['a length of zero', header(0)],
  ['a length below the header', header(7)],
  ['an absurd length', header(longestStreamMessage + 1)],
  ['another version', header(76, 0x2a)],
])('%s ends the stream, after what was good, and is handed on to be counted', (_name, bad) => {
  const [good, torn] = [bytes.subarray(0, 76), bytes.subarray(76, 152)];
  const whole = Buffer.concat([good, torn, bad, good]);
  for (const cut of [0, 3, 76, 79, 151, 153, 154, 155]) {
    const { out, inStep } = feed([whole.subarray(0, cut), whole.subarray(cut)]);
    expect(inStep).toBe(false);
    expect(out.equals(Buffer.concat([good, bad]))).toBe(true);
  }
});

test('wherever a message was cut short, what stands for it in the stream is not handed on', () => {
  const [first, second, third] = [0, 76, 152].map((at) => bytes.subarray(at, at + 76)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (let kept = 1; kept < second.length; kept++) {
    const sent = [first, second.subarray(0, kept), third, ...Array<Uint8Array>(60).fill(first)];
    const { out, inStep } = feed([Buffer.concat(sent)]);
    expect(inStep).toBe(false);
    // Where not even its head is whole, the good message before it is asked for again as well.
    const handedOn = out.subarray(0, -8);
    expect([0, first.length]).toContain(handedOn.length);
    expect(handedOn.equals(first.subarray(0, handedOn.length))).toBe(true);
  }
});

test('the longest message is taken', () => {
  const long = new Uint8Array(longestStreamMessage);
  long.set(header(long.length));
  expect(feed([long.subarray(0, 100), long.subarray(100)]).out.equals(long)).toBe(true);
});
