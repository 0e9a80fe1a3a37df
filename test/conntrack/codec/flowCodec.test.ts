import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder';
import { encodeCreate, encodeDelete } from '../../../src/conntrack/codec/flowRequests';
import {
  presenceBit,
  infoField,
  newScratch,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord';
import { FlowTable } from '../../../src/conntrack/record/flowTable';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { DecodeError } from '../../../src/base/errors';
import { parseIp } from '../../../src/base/ipAddress';
import { leavesOf, oracleDecode, type Leaves } from '../../support/conntrack/flowOracle';
import { vectorsOf, type FlowVector } from '../../support/conntrack/flowVectors';
import { encodeKnown } from '../../support/conntrack/encodeKnown';

const names = new NameTable();
const scratch = newScratch(names);
const decoder = new FlowDecoder();

function decode(bytes: Uint8Array, into: FlowCursor = scratch): FlowCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  decoder.decode(view, 0, bytes.byteLength, into);
  return into;
}

/** All that the record can tell, as a message of the kernel's form. */
function encode(flow: FlowCursor): Buffer {
  const out = new MessageBatch(2048);
  out.begin(0x100, 0, 0, flow.isIpv6 ? 10 : 2);
  encodeKnown(out, flow);
  out.finish();
  return Buffer.from(out.written());
}

const requestOnly = /^\/CTA_(NAT_SRC|NAT_DST|MARK_MASK|STATUS_MASK)|_FLAGS_(ORIGINAL|REPLY)$/;
const transient = /^\/CTA_(COUNTERS|TIMESTAMP|USE)/;

function without(leaves: Leaves, pattern: RegExp): Leaves {
  return Object.fromEntries(Object.entries(leaves).filter(([path]) => !pattern.test(path)));
}

const told: FlowVector[] = [
  ...vectorsOf('events-traffic'),
  ...vectorsOf('events-traffic-acct-timestamp'),
  ...vectorsOf('dump-entries').filter(({ bytes }) => bytes[4] === 0),
  ...vectorsOf('text-formats'),
];
/** Two requests say what no flow can be: a TIMEOUT of two bytes, a zone for each direction. */
const requests = [...vectorsOf('inject-results'), ...vectorsOf('cli-requests')].filter(
  ({ name }) => !name.includes('two-bytes') && !name.includes('both-tuple-zones'),
);

/** What the kernel sends always has an original tuple with addresses; requests need not. */
function hasTuple({ bytes }: FlowVector): boolean {
  const leaves = oracleDecode(bytes);
  const tuple = '/CTA_TUPLE_ORIG/CTA_TUPLE_';
  const isFlow = (bytes[4] === 0 || bytes[4] === 2) && (bytes[16] === 2 || bytes[16] === 10);
  const source = bytes[16] === 2 ? 'IP/CTA_IP_V4_SRC' : 'IP/CTA_IP_V6_SRC';
  return isFlow && `${tuple}${source}` in leaves && `${tuple}PROTO/CTA_PROTO_NUM` in leaves;
}

describe('flow codec on captured messages', () => {
  test('there are vectors of each kind', () => {
    expect(told.length).toBeGreaterThan(80);
    expect(requests.filter(hasTuple).length).toBeGreaterThan(50);
  });

  test.each(told.filter(({ meaning }) => meaning !== undefined).map((v) => [v.name, v] as const))(
    'decodes %s to the stated meaning',
    (_, { bytes, meaning }) => {
      expect(leavesOf(decode(bytes))).toEqual(meaning);
    },
  );

  test.each(told.map((v) => [v.name, v] as const))('agrees with the oracle on %s', (_, v) => {
    const leaves = leavesOf(decode(v.bytes));
    expect(leaves).toEqual(oracleDecode(v.bytes));
    expect(oracleDecode(encode(scratch))).toEqual(leaves);
  });

  test('a dump entry encodes back to the same bytes', () => {
    for (const { bytes } of vectorsOf('dump-entries').filter((v) => v.bytes[4] === 0)) {
      expect(encode(decode(bytes)).subarray(20).toString('hex')).toBe(
        bytes.subarray(20).toString('hex'),
      );
    }
  });

  test.each(requests.filter(hasTuple).map((v) => [v.name, v] as const))(
    'mirrors %s',
    (_, { bytes }) => {
      const flow = decode(bytes);
      const stated = without(oracleDecode(bytes), requestOnly);
      expect(without(leavesOf(flow), requestOnly)).toEqual(stated);
      expect(without(oracleDecode(encode(flow)), requestOnly)).toEqual(stated);
    },
  );

  test.each(told.map((v) => [v.name, v] as const))('%s cut at every byte', (_, { bytes }) => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = Buffer.from(bytes.subarray(0, length));
      if (length >= 4) cut.writeUInt32LE(length, 0);
      try {
        decode(cut);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        continue;
      }
      expect(leavesOf(scratch)).toEqual(
        expect.objectContaining({
          '/CTA_TUPLE_ORIG/CTA_TUPLE_PROTO/CTA_PROTO_NUM': bytes[52 + (bytes[16] === 10 ? 24 : 0)],
        }),
      );
    }
  });

  test('a flow survives the table, but for what is out of date at once', () => {
    const table = new FlowTable({ names, hashSeed: 1 });
    for (const { bytes } of told) {
      const flow = decode(bytes);
      const stated = without(leavesOf(flow), transient);
      const slot = table.insert(flow, 0);
      expect(leavesOf(table.seek(slot, table.newCursor()))).toEqual(stated);
      table.remove(slot);
    }
    expect(table.count).toBe(0);
  });

  test('tuples in another order or with another attribute between them mean the same', () => {
    const usual = told.filter(({ bytes }) => bytes[20] === 52 && bytes[72] === 52);
    expect(usual.length).toBeGreaterThan(5);
    for (const { bytes } of usual) {
      const meaning = leavesOf(decode(bytes));
      const head = bytes.subarray(0, 20);
      const original = bytes.subarray(20, 72);
      const reply = bytes.subarray(72, 124);
      const rest = bytes.subarray(124);
      for (const order of [
        [reply, original, rest],
        [original, rest, reply],
      ]) {
        expect(leavesOf(decode(Buffer.concat([head, ...order])))).toEqual(meaning);
      }
    }
  });

  test('unknown attributes are skipped and counted', () => {
    const { bytes } = told[0]!;
    const extra = Buffer.concat([bytes, Buffer.from('0800e70312345678', 'hex')]);
    extra.writeUInt32LE(extra.length, 0);
    const before = decoder.unknownAttributes;
    expect(leavesOf(decode(extra))).toEqual(oracleDecode(bytes));
    expect(decoder.unknownAttributes).toBe(before + 1);
  });
});

describe('requests', () => {
  const byName = new Map(
    vectorsOf('inject-results').map((v) => [v.name.split(' ')[1] ?? '', v] as const),
  );

  function create(flow: FlowCursor, timeoutSeconds: number): Leaves {
    const out = new MessageBatch(2048);
    encodeCreate(out, flow, 7, { timeoutSeconds, windowTracking: false });
    return oracleDecode(out.written());
  }

  test('an established flow with scales is created liberal, with its scales', () => {
    const { bytes } = byName.get('create-tcp-established')!;
    const flow = decode(bytes);
    flow.setInfo(infoField.flagsOriginalShift, 0xff, 0x03);
    flow.setInfo(infoField.flagsReplyShift, 0xff, 0x03);
    expect(create(flow, 600)).toEqual(oracleDecode(bytes));
  });

  test.each([
    ['snat-plain-reply', addressRole.replyDestination, 0xffff],
    ['dnat-plain-reply', addressRole.replySource, 0xffff0000],
    ['snat-v6', addressRole.replyDestination, 0xffff],
  ] as const)(
    '%s: translation is the plain inverse with exact address and port',
    (name, which, mask) => {
      const { bytes } = byName.get(name)!;
      const stated = oracleDecode(bytes);
      const flow = decode(bytes);
      const nest = which === addressRole.replyDestination ? '/CTA_NAT_SRC' : '/CTA_NAT_DST';
      const address = String(
        stated[`${nest}/CTA_NAT_V4_MINIP`] ?? stated[`${nest}/CTA_NAT_V6_MINIP`],
      );
      const network = Buffer.from(parseIp(address)!.bytes);
      for (let i = 0; i < network.length / 4; i++) {
        flow.setAddressWord(which, i, network.readUInt32LE(4 * i));
      }
      const port = Number(stated[`${nest}/CTA_NAT_PROTO/CTA_PROTONAT_PORT_MIN`]);
      const shift = mask === 0xffff ? 0 : 16;
      flow.set(recordWord.replyPorts, (flow.get(recordWord.replyPorts) & ~mask) | (port << shift));
      const made = create(flow, Number(stated['/CTA_TIMEOUT']));
      const pick = (leaves: Leaves): Leaves =>
        Object.fromEntries(
          Object.entries(leaves).filter(([path]) => /TUPLE|NAT|STATUS/.test(path)),
        );
      expect(pick(made)).toEqual({
        ...pick(stated),
        ...Object.fromEntries(
          ['V4', 'V6']
            .filter((v) => `${nest}/CTA_NAT_${v}_MINIP` in stated)
            .map((v) => [`${nest}/CTA_NAT_${v}_MAXIP`, address]),
        ),
        [`${nest}/CTA_NAT_PROTO/CTA_PROTONAT_PORT_MAX`]: port,
        ...(nest === '/CTA_NAT_DST' ? ownSource(stated) : {}),
      });
    },
  );

  /** Named where the destination alone is translated, or the kernel would choose a free port. */
  function ownSource(stated: Leaves): Leaves {
    const address = stated['/CTA_TUPLE_ORIG/CTA_TUPLE_IP/CTA_IP_V4_SRC'] ?? '';
    const port = stated['/CTA_TUPLE_ORIG/CTA_TUPLE_PROTO/CTA_PROTO_SRC_PORT'] ?? 0;
    return {
      '/CTA_NAT_SRC/CTA_NAT_V4_MINIP': address,
      '/CTA_NAT_SRC/CTA_NAT_V4_MAXIP': address,
      '/CTA_NAT_SRC/CTA_NAT_PROTO/CTA_PROTONAT_PORT_MIN': port,
      '/CTA_NAT_SRC/CTA_NAT_PROTO/CTA_PROTONAT_PORT_MAX': port,
    };
  }

  test('status loses EXPECTED and DYING and gains CONFIRMED', () => {
    const flow = decode(byName.get('create-tcp-established')!.bytes);
    flow.set(recordWord.status, 0x207);
    expect(create(flow, 5)['/CTA_STATUS']).toBe(0x00e);
  });

  test('a TCP flow whose scales are unknown is liberal even where windows are tracked', () => {
    const flow = decode(byName.get('create-tcp-established')!.bytes);
    flow.set(
      recordWord.presence,
      flow.presence & ~(presenceBit.scaleOriginal | presenceBit.tcpFlagsOriginal),
    );
    const out = new MessageBatch(2048);
    encodeCreate(out, flow, 7, { timeoutSeconds: 5, windowTracking: true });
    const tcp = '/CTA_PROTOINFO/CTA_PROTOINFO_TCP/CTA_PROTOINFO_TCP_';
    const leaves = oracleDecode(out.written());
    expect(leaves[`${tcp}FLAGS_ORIGINAL`]).toBe('10/255');
    expect(leaves[`${tcp}WSCALE_REPLY`]).toBeUndefined();
  });

  test('delete and get name the flow by tuple and zone, delete also by id', () => {
    const zoned = decode(byName.get('zone-5')!.bytes);
    zoned.set(recordWord.id, 99);
    zoned.learn(presenceBit.id);
    const out = new MessageBatch(2048);
    encodeDelete(out, zoned, 1, true);
    const leaves = oracleDecode(out.written());
    expect([leaves['/CTA_ZONE'], leaves['/CTA_ID']]).toEqual([5, 99]);
  });
});
