import {
  presenceBit,
  newScratch,
  recordWord,
} from '../../../../src/conntrack/record/flowRecord.js';
import { FlowTable } from '../../../../src/conntrack/record/flowTable.js';
import { NameTable } from '../../../../src/conntrack/record/nameTable.js';
import { RefreshWheel } from '../../../../src/sync/stream/queues/refreshWheel.js';

const names = new NameTable();

function wheelWith(flows: number): { wheel: RefreshWheel; slots: readonly number[] } {
  const table = new FlowTable({ names, limit: 10, hashSeed: 1 });
  const record = newScratch(names);
  record.learn(presenceBit.ports);
  const slots = Array.from({ length: flows }, (_, i) => {
    record.set(recordWord.originalPorts, i);
    return table.insert(record, 0);
  });
  return { wheel: new RefreshWheel(table, 60), slots };
}

test('a flow is handed out once its delay is over', () => {
  const { wheel, slots } = wheelWith(1);
  wheel.add(slots[0]!, 100, 5);
  const due: number[] = [];
  wheel.due(104, (slot) => due.push(slot));
  expect(due).toEqual([]);
  wheel.due(105, (slot) => due.push(slot));
  expect(due).toEqual(slots);
});

test('a flow added by an older reading of the clock does not wait for a turn of the wheel', () => {
  const { wheel, slots } = wheelWith(2);
  wheel.add(slots[0]!, 100, 1);
  const due: number[] = [];
  wheel.due(105, (slot) => due.push(slot));
  wheel.add(slots[1]!, 103, 1);
  wheel.due(104, (slot) => due.push(slot));
  wheel.due(106, (slot) => due.push(slot));
  expect(due).toEqual(slots);
});
