import {
  clearScratch,
  presenceBit,
  newScratch,
  rareWord,
} from '../../../src/conntrack/record/flowRecord.js';
import { addressRole, recordWord } from '../../../src/conntrack/record/flowRecord.js';
import { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import { NameTable, type NameUser } from '../../../src/conntrack/record/nameTable.js';
import { internText } from '../../support/conntrack/records.js';

function internPeers(names: NameTable, text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return names.internPeers(bytes, 0, bytes.length);
}

class Holder implements NameUser {
  readonly ids: number[] = [];
  asked = 0;
  eachName(use: (id: number) => void): void {
    this.asked++;
    this.ids.forEach(use);
  }
}

test('names that nobody uses are freed for new ones, those in use stay what they are', () => {
  const names = new NameTable();
  const holder = new Holder();
  names.addUser(holder);
  holder.ids.push(internText(names, 'ftp'), internPeers(names, 'sip'));
  for (let i = 0; i < 10_000; i++) internPeers(names, `invented-${i}`);
  expect(holder.ids.map((id) => names.text(id))).toEqual(['ftp', 'sip']);
  expect(names.size).toBeLessThanOrEqual(256);
  const later = internPeers(names, 'tftp');
  expect(names.text(later)).toBe('tftp');
  expect(holder.ids).not.toContain(later);
});

test("where all names are in use a peer's is refused, the kernel's never", () => {
  const names = new NameTable();
  const holder = new Holder();
  names.addUser(holder);
  for (let i = 0; i < 256; i++) holder.ids.push(internPeers(names, `held-${i}`));
  expect(internPeers(names, 'another')).toBe(0);
  expect(names.refused).toBe(1);
  expect(internPeers(names, 'held-7')).toBe(holder.ids[7]);
  for (let i = 0; i < 300; i++)
    expect(names.text(internText(names, `kernel-${i}`))).toBe(`kernel-${i}`);
  expect(holder.ids.map((id) => names.text(id))).toContain('held-0');
});

test('who invents names does not make tables be looked through each time', () => {
  const names = new NameTable();
  const holder = new Holder();
  names.addUser(holder);
  for (let i = 0; i < 256; i++) holder.ids.push(internPeers(names, `held-${i}`));
  expect(holder.asked).toBe(0);
  for (let i = 0; i < 6_400; i++) internPeers(names, `invented-${i}`);
  expect(holder.asked).toBeLessThanOrEqual(100);
});

test('what a record that is being decoded holds survives the name after it', () => {
  const names = new NameTable();
  for (let i = 0; i < 255; i++) internPeers(names, `unused-${i}`);
  const helper = internPeers(names, 'sip');
  const context = internText(names, 'system_u');
  expect([helper, context].map((id) => names.text(id))).toEqual(['sip', 'system_u']);
});

test('the records of a table hold their names, and removed ones do not', () => {
  const names = new NameTable();
  const table = new FlowTable({ names, hashSeed: 1 });
  const flow = newScratch(names);
  const insert = (port: number, helper: string): number => {
    clearScratch(flow);
    flow.setKind(false, 6);
    for (const one of Object.values(addressRole)) flow.setAddressWord(one, 0, 1);
    flow.set(recordWord.originalPorts, port);
    flow.setRare(rareWord.helper, internPeers(names, helper));
    flow.learn(presenceBit.helper);
    return table.insert(flow, 0);
  };
  const kept = insert(1, 'kept-helper');
  table.remove(insert(2, 'gone-helper'));
  for (let i = 0; i < 1_000; i++) internPeers(names, `invented-${i}`);
  const seen = table.seek(kept, table.newCursor());
  expect(names.text(seen.getRare(rareWord.helper))).toBe('kept-helper');
  const known = Array.from({ length: 300 }, (_, id) => names.text(id));
  expect(known).not.toContain('gone-helper');
});
