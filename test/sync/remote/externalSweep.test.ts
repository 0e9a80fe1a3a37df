/** The end of a bulk removes what was not part of it, and nothing else. */
import {
  presenceBit,
  newScratch,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { sweepExternal } from '../../../src/sync/remote/externalSweep.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { messageKind } from '../../../src/sync/wire/header.js';
import { ManualTurns } from '../../support/base/manualTurns.js';

/** More than three turns. */
const flows = 30_000;
const stale = 100;
const names = new NameTable();
const record = newScratch(names);

function flow(number: number): FlowCursor {
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.learn(presenceBit.ports);
  return record;
}

/** A table of which the bulk from number `flows + 1` on named all but the last `stale` flows. */
function afterBulk(): ExternalCache {
  const table = new FingerprintedTable({ names, limit: 2 * flows, hashSeed: 1 });
  const external = new ExternalCache(table, 10, false);
  for (let i = 1; i <= flows; i++) external.applyFlow(messageKind.flowNew, flow(i), i, 0);
  for (let i = 1; i <= flows - stale; i++) {
    external.applyFlow(messageKind.flowUpdate, flow(i), flows + i, 0);
  }
  return external;
}

const notOver = (): boolean => false;

test('what the bulk did not name is removed', async () => {
  const external = afterBulk();
  const turns = new ManualTurns();
  const removed = sweepExternal(external, { since: flows + 1, keepsOlder: false }, turns, notOver);
  expect(await turns.runAll()).toBeGreaterThan(1);
  expect(await removed).toBe(stale);
  expect(external.table.alive).toBe(flows - stale);
});

test('a peer that restarts between two turns loses nothing by the bulk of its former life', async () => {
  const external = afterBulk();
  const turns = new ManualTurns();
  const ended: number[] = [];
  external.listen({ flowApplied: () => undefined, flowEnding: (slot) => ended.push(slot) });
  const removed = sweepExternal(external, { since: flows + 1, keepsOlder: false }, turns, notOver);
  external.streamBegan();
  await turns.runAll();
  expect(await removed).toBeLessThanOrEqual(stale);
  expect(external.table.alive).toBeGreaterThanOrEqual(flows - stale);
  expect(ended.length).toBeLessThanOrEqual(stale);
});

test('what an earlier life of the peer told stays where that is asked for, what this one ended goes', async () => {
  const table = new FingerprintedTable({ names, limit: 100, hashSeed: 1 });
  const external = new ExternalCache(table, 10, false);
  const turns = new ManualTurns();
  const sweep = async (keepsOlder: boolean): Promise<number> => {
    const removed = sweepExternal(external, { since: 10, keepsOlder }, turns, notOver);
    await turns.runAll();
    return removed;
  };
  for (let i = 1; i <= 3; i++) external.applyFlow(messageKind.flowNew, flow(i), i, 0);
  external.streamBegan();
  external.applyFlow(messageKind.flowUpdate, flow(2), 12, 0);
  external.applyFlow(messageKind.flowNew, flow(4), 9, 0);
  expect(await sweep(true)).toBe(1);
  expect(external.table.alive).toBe(3);
  expect(external.table.find(flow(4))).toBe(0);
  expect(await sweep(false)).toBe(2);
  expect(external.table.find(flow(2))).not.toBe(0);
});
