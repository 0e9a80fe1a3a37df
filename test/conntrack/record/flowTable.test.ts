import fc from 'fast-check';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  lifecycle,
  newScratch,
  rareWord,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord';
import { FlowTable } from '../../../src/conntrack/record/flowTable';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { internText } from '../../support/conntrack/records';

const names = new NameTable();

function newTable(limit?: number): FlowTable {
  return new FlowTable({ names, hashSeed: 12345, ...(limit === undefined ? {} : { limit }) });
}

/** A TCP flow whose key is chosen by `n`. */
function tcp(scratch: FlowCursor, n: number, isIpv6 = false): FlowCursor {
  clearScratch(scratch);
  scratch.setKind(isIpv6, 6);
  for (let i = 0; i < (isIpv6 ? 4 : 1); i++) {
    scratch.setAddressWord(addressRole.originalSource, i, (n >>> 8) + i);
    scratch.setAddressWord(addressRole.originalDestination, i, 0x01020304 + i);
  }
  scratch.set(recordWord.originalPorts, ((n & 0xffff) << 16) | 80);
  scratch.learn(presenceBit.ports);
  deriveReply(scratch);
  return scratch;
}

function expectNoLeak(table: FlowTable): void {
  const audit = table.audit();
  for (const slabs of [audit.records, audit.addresses, audit.rare]) {
    expect(slabs.used + slabs.free).toBe(slabs.issued);
    expect(slabs.issued).toBeLessThanOrEqual(slabs.capacity);
  }
  expect(audit.records.used).toBe(table.count);
  expect(audit.indexed).toBe(table.count);
}

describe('flow table', () => {
  const scratch = newScratch(names);

  test('finds what was inserted, of both families, and nothing else', () => {
    const table = newTable();
    const slot4 = table.insert(tcp(scratch, 1), 10);
    const slot6 = table.insert(tcp(scratch, 1, true), 10);
    expect(slot4).toBeGreaterThan(0);
    expect(slot6).not.toBe(slot4);
    expect(table.find(tcp(scratch, 1))).toBe(slot4);
    expect(table.find(tcp(scratch, 1, true))).toBe(slot6);
    expect(table.find(tcp(scratch, 2))).toBe(0);
    expectNoLeak(table);
  });

  test('the zone of the original direction belongs to the key, that of the reply does not', () => {
    const table = newTable();
    const plain = table.insert(tcp(scratch, 1), 0);
    tcp(scratch, 1).set(recordWord.zone, 7);
    const zoned = table.insert(scratch, 0);
    expect(zoned).not.toBe(plain);
    tcp(scratch, 1).set(recordWord.zone, 7 | 0x2_0000);
    expect(table.find(scratch)).toBe(plain);
    tcp(scratch, 1).set(recordWord.zone, 7 | 0x1_0000);
    expect(table.find(scratch)).toBe(zoned);
  });

  test('a merge keeps what the update does not carry and names what changed', () => {
    const table = newTable();
    tcp(scratch, 5);
    scratch.set(recordWord.status, 0x8);
    scratch.set(recordWord.mark, 42);
    scratch.learn(presenceBit.status | presenceBit.mark);
    const slot = table.insert(scratch, 100);
    tcp(scratch, 5);
    scratch.set(recordWord.status, 0xe);
    scratch.setInfo(0, 0xff, 3);
    scratch.learn(presenceBit.status | presenceBit.state);
    expect(table.merge(slot, scratch, 130)).toBe(presenceBit.status | presenceBit.state);
    expect(table.merge(slot, scratch, 131)).toBe(0);
    const flow = table.seek(slot, table.newCursor());
    expect([flow.get(recordWord.mark), flow.get(recordWord.status), flow.state]).toEqual([
      42, 0xe, 3,
    ]);
    expect([flow.get(recordWord.created), flow.get(recordWord.updated)]).toEqual([100, 131]);
  });

  test('rare attributes take a rare record; a SYNPROXY of zeros takes none', () => {
    const table = newTable();
    tcp(scratch, 1);
    scratch.learn(presenceBit.synproxy);
    for (const i of [0, 1, 2]) scratch.setRare(rareWord.synproxy + i, 0);
    const slot = table.insert(scratch, 0);
    expect(table.audit().rare.used).toBe(0);
    expect(table.seek(slot, table.newCursor()).getRare(rareWord.synproxy)).toBe(0);
    tcp(scratch, 1);
    scratch.learn(presenceBit.helper);
    scratch.setRare(rareWord.helper, internText(names, 'ftp'));
    expect(table.merge(slot, scratch, 0)).toBe(presenceBit.helper);
    const flow = table.seek(slot, table.newCursor());
    expect(names.text(flow.getRare(rareWord.helper))).toBe('ftp');
    expect(flow.knows(presenceBit.helper | presenceBit.synproxy)).toBe(true);
    table.remove(slot);
    expect(table.audit().rare.used).toBe(0);
    expectNoLeak(table);
  });

  test('a replaced flow keeps its slot and forgets its attributes', () => {
    const table = newTable();
    tcp(scratch, 9);
    scratch.set(recordWord.mark, 1);
    scratch.learn(presenceBit.mark);
    const slot = table.insert(scratch, 1);
    table.write(slot, recordWord.queueNext, 77);
    table.setLifecycle(slot, lifecycle.dead);
    expect(table.alive).toBe(0);
    table.replace(slot, tcp(scratch, 9), 5);
    expect(table.seek(slot, table.newCursor()).knows(presenceBit.mark)).toBe(false);
    expect(table.read(slot, recordWord.queueNext)).toBe(77);
    expect(table.alive).toBe(1);
    expect(table.lifecycle(slot)).toBe(lifecycle.fresh);
  });

  test('a full table refuses and stays whole', () => {
    const table = newTable(3);
    for (let n = 0; n < 3; n++) expect(table.insert(tcp(scratch, n), 0)).not.toBe(0);
    expect(table.insert(tcp(scratch, 3), 0)).toBe(0);
    expect(table.count).toBe(3);
    table.remove(table.find(tcp(scratch, 1)));
    expect(table.insert(tcp(scratch, 3), 0)).not.toBe(0);
    expectNoLeak(table);
  });

  test('next walks each slot in use once', () => {
    const table = newTable();
    const slots = Array.from({ length: 100 }, (_, n) => table.insert(tcp(scratch, n), 0));
    for (const slot of slots.filter((_, i) => i % 3 === 0)) table.remove(slot);
    const seen: number[] = [];
    for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) seen.push(slot);
    expect(seen).toEqual(slots.filter((_, i) => i % 3 !== 0).sort((a, b) => a - b));
  });

  test('a pass of mark and sweep tells the seen from the unseen', () => {
    const table = newTable();
    const a = table.insert(tcp(scratch, 1), 0);
    const b = table.insert(tcp(scratch, 2), 0);
    table.beginGeneration();
    table.markSeen(a);
    const c = table.insert(tcp(scratch, 3), 0);
    expect([a, b, c].map((slot) => table.wasSeen(slot))).toEqual([true, false, true]);
  });

  test('behaves as a map under arbitrary inserts and removals', () => {
    const step = fc.record({ n: fc.nat(400), isIpv6: fc.boolean(), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const table = newTable();
        const model = new Map<string, number>();
        for (const { n, isIpv6, remove } of steps) {
          const key = `${n} ${isIpv6}`;
          const slot = table.find(tcp(scratch, n, isIpv6));
          expect(slot).toBe(model.get(key) ?? 0);
          if (remove && slot !== 0) {
            table.remove(slot);
            model.delete(key);
          } else if (!remove && slot === 0) {
            model.set(key, table.insert(scratch, 0));
          }
        }
        expect(table.count).toBe(model.size);
        expectNoLeak(table);
      }),
      { numRuns: 60 },
    );
  });

  test('grows to many segments and shrinks back without a lost entry or a long probe', () => {
    const table = newTable();
    const count = 200_000;
    for (let n = 0; n < count; n++) table.insert(tcp(scratch, n * 7, n % 2 === 1), 0);
    expect(table.count).toBe(count);
    for (let n = 0; n < count; n += 1) {
      const slot = table.find(tcp(scratch, n * 7, n % 2 === 1));
      if (slot === 0) throw new Error(`flow ${n} was lost`);
      if (n % 4 !== 0) table.remove(slot);
    }
    expect(table.count).toBe(count / 4);
    expectNoLeak(table);
    expect(table.audit().longestProbe).toBeLessThan(256);
  });
});
