import fc from 'fast-check';
import { DecodeError } from '../../../src/base/errors';
import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder';
import {
  encodeCreate,
  encodeDelete,
  encodeUpdate,
} from '../../../src/conntrack/codec/flowRequests';
import { presenceBit, newScratch, type FlowCursor } from '../../../src/conntrack/record/flowRecord';
import { FlowTable } from '../../../src/conntrack/record/flowTable';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { arbitraryFlow } from '../../support/conntrack/flowArbitrary';
import {
  leavesOf,
  oracleDecode,
  oracleEncode,
  type Leaves,
} from '../../support/conntrack/flowOracle';
import { vectorsOf } from '../../support/conntrack/flowVectors';
import { encodeKnown } from '../../support/conntrack/encodeKnown';

const full = process.env['KEEPSTATE_FULL'] === '1';
const bound = { numRuns: 1_000_000, interruptAfterTimeLimit: full ? 60_000 : 4_000 };

const names = new NameTable();
const scratch = newScratch(names);
const decoder = new FlowDecoder();

function decode(bytes: Uint8Array): FlowCursor {
  decoder.decode(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.byteLength,
    scratch,
  );
  return scratch;
}

function encode(flow: FlowCursor): Leaves {
  const out = new MessageBatch(2048);
  out.begin(0x100, 0, 0, flow.isIpv6 ? 10 : 2);
  encodeKnown(out, flow);
  out.finish();
  return oracleDecode(out.written());
}

const transient = /^\/CTA_(COUNTERS|TIMESTAMP|USE)/;
const held = (leaves: Leaves): Leaves =>
  Object.fromEntries(Object.entries(leaves).filter(([path]) => !transient.test(path)));

test('any flow survives decode, table and encode as the oracle sees it', () => {
  const table = new FlowTable({ names, hashSeed: 99 });
  fc.assert(
    fc.property(arbitraryFlow, ({ family, leaves }) => {
      const flow = decode(oracleEncode(leaves, family));
      expect(leavesOf(flow)).toEqual(leaves);
      expect(encode(flow)).toEqual(leaves);
      const slot = table.insert(flow, 0);
      const stored = table.seek(slot, table.newCursor());
      expect(leavesOf(stored)).toEqual(held(leaves));
      expect(encode(stored)).toEqual(held(leaves));
      table.remove(slot);
    }),
    bound,
  );
}, 120_000);

test('merging flow B into flow A gives B where B speaks and A elsewhere', () => {
  const table = new FlowTable({ names, hashSeed: 99 });
  fc.assert(
    fc.property(arbitraryFlow, arbitraryFlow, (a, b) => {
      if (a.family !== b.family) return;
      const slot = table.insert(decode(oracleEncode(a.leaves, a.family)), 0);
      const flow = decode(oracleEncode(b.leaves, b.family));
      // The key is the same by contract: only what is beside it merges.
      flow.words[0]! &= ~(presenceBit.reply | presenceBit.zone | presenceBit.ports);
      flow.setKind(flow.isIpv6, table.seek(slot, table.newCursor()).protocol);
      table.merge(slot, flow, 1);
      const merged = leavesOf(table.seek(slot, table.newCursor()));
      const plain = /^\/CTA_(STATUS|MARK|ID|TIMEOUT|LABELS|HELP|SEQ_ADJ|SYNPROXY|SECMARK|SECCTX)/;
      for (const [path, value] of Object.entries({ ...a.leaves, ...b.leaves })) {
        if (plain.test(path)) expect([path, merged[path]]).toEqual([path, value]);
      }
      table.remove(slot);
      expect(table.count).toBe(0);
    }),
    bound,
  );
}, 120_000);

test('arbitrary bytes decode or throw DecodeError, and never reach beyond the message', () => {
  const samples = [...vectorsOf('dump-entries'), ...vectorsOf('events-traffic')].map(
    (v) => v.bytes,
  );
  const mutation = fc.record({ at: fc.nat(400), value: fc.nat(255) });
  const mutated = fc
    .tuple(fc.constantFrom(...samples), fc.array(mutation, { minLength: 1, maxLength: 8 }))
    .map(([sample, mutations]) => {
      const bytes = Buffer.from(sample);
      for (const { at, value } of mutations) bytes[16 + (at % (bytes.length - 16))] = value;
      return bytes;
    });
  const noise = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  const out = new MessageBatch(4096);
  fc.assert(
    fc.property(fc.oneof(mutated, noise), (bytes) => {
      let flow: FlowCursor;
      try {
        flow = decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
        return;
      }
      // Whatever was decoded can be asked of the kernel.
      out.clear();
      encodeCreate(out, flow, 1, { timeoutSeconds: 1, windowTracking: false });
      encodeUpdate(out, flow, 1, { timeoutSeconds: 1, windowTracking: true });
      encodeDelete(out, flow, 1, true);
      expect(out.count).toBe(3);
    }),
    bound,
  );
}, 120_000);
