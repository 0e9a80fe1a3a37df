import { protocol, statusBit, tcpState } from '../../../src/conntrack/constants.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  lifecycle,
  newScratch,
  addressRole,
  recordWord,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import type { InternalCache } from '../../../src/sync/local/internalCache.js';
import { cachedInternal, ManualFeed } from '../../support/sync/caches.js';

const names = new NameTable();

const translated = statusBit.assured | statusBit.sourceNat;

/** A cache with one assured TCP flow in `state`, and what the peer is told of its deaths. */
function cacheWithFlow(
  state: number,
  status = translated,
): { cache: InternalCache; feed: ManualFeed; slot: number; told: number[] } {
  const feed = new ManualFeed();
  const cache = cachedInternal(new FingerprintedTable({ names, hashSeed: 7 }), 16, feed);
  const flow = newScratch(names);
  clearScratch(flow);
  flow.setKind(false, protocol.tcp);
  flow.setAddressWord(addressRole.originalSource, 0, 0x0a000001);
  flow.setAddressWord(addressRole.originalDestination, 0, 0x0a000002);
  flow.set(recordWord.originalPorts, (1000 << 16) | 80);
  flow.learn(presenceBit.ports);
  deriveReply(flow);
  flow.set(recordWord.info, state);
  flow.learn(presenceBit.state);
  flow.set(recordWord.status, status);
  flow.learn(presenceBit.status);
  const told: number[] = [];
  cache.listen({
    flowChanged: () => undefined,
    flowDied: (slot) => told.push(slot),
    flowForgotten: () => undefined,
    expectationChanged: () => undefined,
    expectationDied: () => undefined,
    expectationForgotten: () => undefined,
    cleared: () => undefined,
    changeLost: () => undefined,
    makeRoom: () => undefined,
  });
  return { cache, feed, slot: cache.table.insert(flow, 1), told };
}

function ticks(cache: InternalCache, count: number): void {
  for (let i = 0; i < count; i++) cache.tick();
}

describe('the death of a flow in full life', () => {
  test('is told after four ticks', () => {
    const { cache, slot, told } = cacheWithFlow(tcpState.established);
    cache.destroyed(slot, 'event');
    ticks(cache, 3);
    expect(told).toEqual([]);
    expect(cache.table.lifecycle(slot)).not.toBe(lifecycle.dead);
    ticks(cache, 1);
    expect(told).toEqual([slot]);
    expect(cache.table.lifecycle(slot)).toBe(lifecycle.dead);
  });

  test('is not told when it turns out to be part of a mass', () => {
    const { cache, feed, slot, told } = cacheWithFlow(tcpState.established);
    cache.destroyed(slot, 'event');
    feed.isMass = true;
    ticks(cache, 5);
    expect(told).toEqual([]);
    expect(cache.table.count).toBe(0);
  });

  test('is forgotten when the flow is seen again', () => {
    const { cache, slot, told } = cacheWithFlow(tcpState.established);
    cache.destroyed(slot, 'event');
    cache.updated(slot, 0, 'event');
    ticks(cache, 5);
    expect(told).toEqual([]);
    expect(cache.table.lifecycle(slot)).toBe(lifecycle.alive);
  });

  test('counts from its last end when the flow lived in between', () => {
    const { cache, slot, told } = cacheWithFlow(tcpState.established);
    cache.destroyed(slot, 'event');
    ticks(cache, 2);
    cache.updated(slot, 0, 'event');
    cache.destroyed(slot, 'event');
    ticks(cache, 3);
    expect(told).toEqual([]);
    ticks(cache, 1);
    expect(told).toEqual([slot]);
  });

  test('does not concern the next flow in the same slot', () => {
    const { cache, slot, told } = cacheWithFlow(tcpState.established);
    cache.destroyed(slot, 'event');
    const flow = cache.table.seek(slot, cache.table.newCursor());
    const copy = newScratch(names);
    copy.words.set(flow.words.subarray(flow.at, flow.at + copy.words.length));
    cache.removeSlot(slot);
    expect(cache.table.insert(copy, 1)).toBe(slot);
    ticks(cache, 5);
    expect(told).toEqual([]);
    expect(cache.table.lifecycle(slot)).not.toBe(lifecycle.dead);
  });

  test('of one whose source is not translated is told at once, also while a mass is expected', () => {
    const { cache, feed, slot, told } = cacheWithFlow(tcpState.established, statusBit.assured);
    feed.isMass = true;
    cache.destroyed(slot, 'event');
    expect(told).toEqual([slot]);
  });

  test('of a closed one that is translated is not told while a mass is expected', () => {
    const { cache, feed, slot, told } = cacheWithFlow(tcpState.timeWait);
    feed.isMass = true;
    cache.destroyed(slot, 'event');
    expect(told).toEqual([]);
    expect(cache.table.count).toBe(0);
  });

  test('of one that had closed before is told at once', () => {
    const { cache, slot, told } = cacheWithFlow(tcpState.timeWait);
    cache.destroyed(slot, 'event');
    expect(told).toEqual([slot]);
  });
});
