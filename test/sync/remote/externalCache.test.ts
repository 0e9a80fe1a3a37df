/** A full table of the peer's flows, and what it refused. */
import {
  presenceBit,
  newScratch,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { messageKind } from '../../../src/sync/wire/header.js';

const limit = 100;
const names = new NameTable();
const record = newScratch(names);

function flow(number: number): FlowCursor {
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.learn(presenceBit.ports);
  return record;
}

function filled(count: number): ExternalCache {
  const cache = new ExternalCache(new FingerprintedTable({ names, limit, hashSeed: 1 }), 10, false);
  for (let i = 1; i <= count; i++) cache.applyFlow(messageKind.flowNew, flow(i), i, 0);
  return cache;
}

function end(cache: ExternalCache, from: number, to: number): void {
  for (let i = from; i <= to; i++) cache.applyFlow(messageKind.flowDelete, flow(i), limit + i, 0);
}

test('what a full table refused is asked for once, when a tenth of it is free', () => {
  const cache = filled(limit + 5);
  expect([cache.table.alive, cache.counters.full]).toEqual([limit, 5]);
  expect(cache.hasRoomForRefused()).toBe(false);
  end(cache, 1, 9);
  expect(cache.hasRoomForRefused()).toBe(false);
  end(cache, 10, 10);
  expect(cache.hasRoomForRefused()).toBe(true);
  expect(cache.hasRoomForRefused()).toBe(false);
});

test('a table that is full again refuses again, and one that was emptied has room at once', () => {
  const cache = filled(limit + 1);
  cache.clear(true);
  expect(cache.hasRoomForRefused()).toBe(true);
  for (let i = 1; i <= limit + 1; i++) cache.applyFlow(messageKind.flowNew, flow(i), i, 0);
  expect(cache.hasRoomForRefused()).toBe(false);
  end(cache, 1, 20);
  expect(cache.hasRoomForRefused()).toBe(true);
});

test('a table that refused nothing asks for nothing, however full it was', () => {
  const cache = filled(limit);
  end(cache, 1, 50);
  expect(cache.hasRoomForRefused()).toBe(false);
});

test('a flow that began anew at the peer, and is told as changed, has no mark of the one before', () => {
  const marked = (): FlowCursor => {
    const told = flow(1);
    told.set(recordWord.mark, 7);
    told.learn(presenceBit.mark);
    return told;
  };
  const unmarked = (): FlowCursor => {
    const told = flow(1);
    told.set(recordWord.presence, presenceBit.ports);
    return told;
  };
  const cache = filled(0);
  cache.applyFlow(messageKind.flowNew, marked(), 1, 0);
  cache.applyFlow(messageKind.flowUpdate, unmarked(), 2, 0);
  const fresh = filled(0);
  fresh.applyFlow(messageKind.flowNew, unmarked(), 1, 0);
  expect(cache.table.fingerprint.words).toEqual(fresh.table.fingerprint.words);
  cache.applyFlow(messageKind.flowUpdate, marked(), 3, 0);
  expect(cache.table.fingerprint.words).not.toEqual(fresh.table.fingerprint.words);
});
