import { DecodeError } from '../../../src/base/errors';
import {
  decodeExpectation,
  encodeExpectationCreate,
  encodeExpectationDelete,
  expectationKey,
  type Expectation,
} from '../../../src/conntrack/codec/expectation';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch';
import { vectorsOf } from '../../support/conntrack/flowVectors';

const whole = vectorsOf('expectations', 2).filter(
  ({ bytes, meaning }) =>
    bytes[4] !== 1 &&
    meaning !== undefined &&
    '/CTA_EXPECT_MASK/CTA_TUPLE_PROTO/CTA_PROTO_NUM' in meaning,
);

function decode(bytes: Buffer): Expectation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return decodeExpectation(view, 0, bytes.length);
}

const hex = (dotted: unknown): string =>
  Buffer.from(String(dotted).split('.').map(Number)).toString('hex');

describe('expectation codec', () => {
  test('there are vectors', () => {
    expect(whole.length).toBeGreaterThan(5);
  });

  test.each(whole.map((v) => [v.name, v] as const))('decodes %s to the stated meaning', (_, v) => {
    const meaning = v.meaning!;
    const made = decode(v.bytes);
    for (const [name, tuple] of [
      ['MASTER', made.master],
      ['TUPLE', made.tuple],
      ['MASK', made.mask],
    ] as const) {
      const path = `/CTA_EXPECT_${name}/CTA_TUPLE_`;
      const sourcePort = Number(meaning[`${path}PROTO/CTA_PROTO_SRC_PORT`]);
      const destinationPort = Number(meaning[`${path}PROTO/CTA_PROTO_DST_PORT`]);
      expect(tuple).toEqual({
        source: hex(meaning[`${path}IP/CTA_IP_V4_SRC`]),
        destination: hex(meaning[`${path}IP/CTA_IP_V4_DST`]),
        protocol: meaning[`${path}PROTO/CTA_PROTO_NUM`],
        ports: sourcePort * 65_536 + destinationPort,
      });
    }
    expect(made.timeoutSeconds).toBe(meaning['/CTA_EXPECT_TIMEOUT']);
    expect(made.id).toBe(meaning['/CTA_EXPECT_ID']);
    expect(made.flags).toBe(meaning['/CTA_EXPECT_FLAGS']);
    expect(made.class).toBe(meaning['/CTA_EXPECT_CLASS']);
    expect(made.helper).toBe(meaning['/CTA_EXPECT_HELP_NAME']);
    expect(made.functionName).toBe(meaning['/CTA_EXPECT_FN']);
    expect(made.nat?.direction).toBe(meaning['/CTA_EXPECT_NAT/CTA_EXPECT_NAT_DIR']);
  });

  test.each(whole.map((v) => [v.name, v] as const))('%s survives a create request', (_, v) => {
    const told = Object.entries(decode(v.bytes)).filter(([name]) => name !== 'id');
    const rest = Object.fromEntries(told) as unknown as Expectation;
    const out = new MessageBatch(1024);
    encodeExpectationCreate(out, rest, 5, rest.timeoutSeconds ?? 300);
    expect(decode(Buffer.from(out.written()))).toEqual({ timeoutSeconds: 300, ...rest });
  });

  test.each(whole.map((v) => [v.name, v] as const))('%s cut at every byte', (_, { bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      try {
        decode(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
  });

  test('a delete names the tuple; the key leaves out timeout and id', () => {
    const made = decode(whole[0]!.bytes);
    const out = new MessageBatch(1024);
    encodeExpectationDelete(out, made, 9);
    expect(out.written()[4]).toBe(2);
    expect(expectationKey({ ...made, id: 1, timeoutSeconds: 2 })).toBe(expectationKey(made));
    const other = { ...made.tuple, ports: 1 };
    expect(expectationKey({ ...made, tuple: other })).not.toBe(expectationKey(made));
  });
});
