import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BugError, DecodeError } from '../../../src/base/errors.js';
import {
  NetlinkWalker,
  decodeNetlinkAnswer,
  forEachAttribute,
  netlinkFlag,
  netlinkType,
} from '../../../src/net/netlink/netlinkFraming.js';
import { NetlinkBuilder } from '../../support/net/netlinkBuilder.js';

interface AckVector {
  readonly name: string;
  readonly reply: {
    readonly hex: string;
    readonly nlmsghdr: { readonly seq: number };
    readonly error: number;
    readonly extack?: { readonly msg: string; readonly offset: number };
  };
}

const { acks } = JSON.parse(
  readFileSync(join(__dirname, '..', '..', 'vectors', 'netlink', 'acks-and-stats.json'), 'utf8'),
) as { acks: AckVector[] };

function walk(bytes: Uint8Array): NetlinkWalker {
  const walker = new NetlinkWalker();
  walker.reset(viewOf(bytes));
  return walker;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('netlink framing', () => {
  test.each(acks)('$name is decoded as the kernel sent it', ({ reply }) => {
    const bytes = fromHex(reply.hex);
    const walker = walk(bytes);
    expect(walker.step()).toBe(true);
    expect(walker.message.type).toBe(netlinkType.error);
    expect(decodeNetlinkAnswer(viewOf(bytes), walker.message)).toEqual({
      errno: 0 - reply.error,
      sequence: reply.nlmsghdr.seq,
      text: reply.extack?.msg,
      badOffset: reply.extack?.offset,
    });
    expect(walker.step()).toBe(false);
  });

  test.each(acks)('$name cut at any byte is a DecodeError', ({ reply }) => {
    const whole = fromHex(reply.hex);
    for (let length = 1; length < whole.length; length++) {
      expect(() => walk(whole.subarray(0, length)).step()).toThrow(DecodeError);
    }
  });

  test('the end of a dump carries its status', () => {
    const message = new NetlinkBuilder(64);
    message
      .beginMessage(netlinkType.done, netlinkFlag.multi, 7)
      .raw(Uint8Array.of(0xf0, 255, 255, 255));
    const bytes = message.endMessage().written();
    const walker = walk(bytes);
    walker.step();
    expect(decodeNetlinkAnswer(viewOf(bytes), walker.message)).toMatchObject({
      errno: 16,
      sequence: 7,
    });
  });

  test('messages start at multiples of 4 and the last needs no padding', () => {
    const builder = new NetlinkBuilder(128);
    builder.beginMessage(16, 1, 1).raw(Uint8Array.of(9)).endMessage();
    const odd = builder.written();
    new DataView(odd.buffer).setUint32(0, 17, true);
    builder.beginMessage(17, 2, 2, 5).endMessage();
    const walker = walk(builder.written());
    expect(walker.step()).toBe(true);
    expect(walker.message).toMatchObject({ start: 0, end: 17, next: 20, type: 16, flags: 1 });
    expect(walker.step()).toBe(true);
    expect(walker.message).toMatchObject({ start: 20, end: 36, sequence: 2, portId: 5 });
    expect(walker.step()).toBe(false);
    const single = walk(odd.subarray(0, 17));
    expect(single.step()).toBe(true);
    expect(single.step()).toBe(false);
  });

  test('nests, integers in both orders and texts survive building and walking', () => {
    const builder = new NetlinkBuilder(256);
    builder.beginMessage(0x100, netlinkFlag.request, 1);
    const nest = builder.beginNest(1);
    builder.uint8(2, 7).uint16(3, 0x1234).uint32(4, 0x12345678).uint32Host(5, 0x12345678);
    builder
      .text(6, 'eth0')
      .endNest(nest)
      .attribute(7, Uint8Array.of(1, 2, 3))
      .endMessage();
    const bytes = builder.written();
    const found: [number, string][] = [];
    const collect = (start: number, end: number): void => {
      forEachAttribute(viewOf(bytes), start, end, (type, from, to) => {
        if (type === 1) collect(from, to);
        else found.push([type, Buffer.from(bytes.subarray(from, to)).toString('hex')]);
      });
    };
    collect(16, bytes.length);
    expect(found).toEqual([
      [2, '07'],
      [3, '1234'],
      [4, '12345678'],
      [5, '78563412'],
      [6, '6574683000'],
      [7, '010203'],
    ]);
  });

  test('padding is zero even where the memory was used before', () => {
    const builder = new NetlinkBuilder(new Uint8Array(64).fill(0xee));
    builder.beginMessage(1, 0, 0).uint8(2, 7).endMessage();
    expect(Buffer.from(builder.written()).toString('hex')).toBe(
      '18000000' + '01000000' + '00000000' + '00000000' + '05000200' + '07000000',
    );
    expect(builder.reset().offset).toBe(0);
  });

  test('what does not fit is our own mistake', () => {
    expect(() => new NetlinkBuilder(15).beginMessage(1, 0, 0)).toThrow(BugError);
    expect(() => new NetlinkWalker().reset(new DataView(new ArrayBuffer(4)), 0, 5)).toThrow(
      BugError,
    );
  });

  test('an attribute that overruns its range is a DecodeError, a short tail is ignored', () => {
    const bytes = Uint8Array.of(8, 0, 1, 0, 0, 0, 0, 0, 9, 0);
    const seen: number[] = [];
    forEachAttribute(viewOf(bytes), 0, bytes.length, (type) => void seen.push(type));
    expect(seen).toEqual([1]);
    for (const length of [0, 3, 9]) {
      bytes[0] = length;
      expect(() => {
        forEachAttribute(viewOf(bytes), 0, 8, () => undefined);
      }).toThrow(DecodeError);
    }
  });
});
