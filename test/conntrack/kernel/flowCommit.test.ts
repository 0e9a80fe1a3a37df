import { microseconds, seconds, type Clock } from '../../../src/base/time';
import { FlowCommit, timeoutFor } from '../../../src/conntrack/kernel/flowCommit';
import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder';
import {
  clearScratch,
  presenceBit,
  newScratch,
  recordWord,
} from '../../../src/conntrack/record/flowRecord';
import { FlowTable } from '../../../src/conntrack/record/flowTable';
import { nullSocket, type InjectionSocket } from '../../../src/conntrack/kernel/injectionSocket';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { ManualTurns } from '../../support/base/manualTurns';

const flow = newScratch(new NameTable());

test.each([
  ['what is left since the last update', 432_000, 1_000, 1_100, undefined, 431_900],
  [
    'what it was told where the update has the later second',
    432_000,
    1_000,
    999,
    undefined,
    432_000,
  ],
  ['what it was told again where that is over', 300, 1_000, 1_301, undefined, 300],
  ['what it was told again where that ends just now', 300, 1_000, 1_300, undefined, 300],
  ['60 where less was told and is over', 30, 1_000, 1_100, undefined, 60],
  ['the fixed timeout for all', 432_000, 1_000, 1_100, 180, 180],
])('a committed flow gets %s', (_, told, updated, now, fixed, expected) => {
  clearScratch(flow);
  flow.set(recordWord.timeout, told);
  flow.set(recordWord.updated, updated);
  flow.learn(presenceBit.timeout);
  expect(timeoutFor(flow, now, fixed)).toBe(expected);
});

test('a committed flow whose timeout was never told gets 60', () => {
  clearScratch(flow);
  expect(timeoutFor(flow, 10)).toBe(60);
});

const names = new NameTable();

/** A table of 1,000 flows that were all told 86,400 s in second `updated`. */
function tableOf(updated: number): FlowTable {
  const table = new FlowTable({ names, limit: 2_000, hashSeed: 1 });
  const record = newScratch(names);
  record.setKind(false, 17);
  record.set(recordWord.timeout, 86_400);
  record.learn(presenceBit.ports | presenceBit.timeout);
  for (let i = 1; i <= 1_000; i++) {
    record.set(recordWord.originalPorts, i);
    table.insert(record, updated);
  }
  return table;
}

/** Where a commit writes to: keeps the timeout of each flow. */
function recordingDoor(timeouts: number[]): InjectionSocket {
  const decoder = new FlowDecoder();
  const record = newScratch(names);
  const send: InjectionSocket['socket']['send'] = (bytes, _to, _from, length) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const end = length ?? bytes.length;
    for (let at = 0; at < end; at += (view.getUint32(at, true) + 3) & ~3) {
      decoder.decode(view, at, view.getUint32(at, true), record);
      timeouts.push(record.get(recordWord.timeout));
    }
    return 0;
  };
  return { ...nullSocket, socket: { ...nullSocket.socket, send } };
}

/** Commits the table; a second passes, and `turn` happens, before each slice. */
async function commit(table: FlowTable, start: number, turn: (second: number) => void) {
  let now = start;
  const clock: Clock = { now: () => seconds(now), wallClock: () => microseconds(0) };
  const turns = new ManualTurns();
  const timeouts: number[] = [];
  const how = { windowTracking: false, onExisting: 'replace', overdue: 'keep' } as const;
  const work = new FlowCommit(table, { ...how, socket: recordingDoor(timeouts) }, clock, {
    next: (callback) => {
      turns.next(() => {
        turn(++now);
        callback();
      });
    },
  });
  await turns.runAll();
  return { timeouts, result: await work.done };
}

test('the age of a flow is taken when it is written, not when its commit began', async () => {
  const { timeouts } = await commit(tableOf(1_000), 1_100, () => undefined);
  expect(new Set(timeouts)).toEqual(new Set([86_400 - 101]));
  expect(timeouts).toHaveLength(1_000);
});

test('a flow that the peer tells again while the commit goes on keeps what it was told', async () => {
  const table = tableOf(1_000);
  const cursor = table.newCursor();
  const { timeouts, result } = await commit(table, 1_000, (second) => {
    for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
      table.merge(slot, table.seek(slot, cursor), second);
    }
  });
  expect(result).toMatchObject({ committed: 1_000, failed: 0 });
  expect(Math.min(...timeouts)).toBe(86_400);
});
