/**
 * What a cache with every flow, and one with those on their way alone, make of what the mirror
 * reports.
 */
import {
  clearScratch,
  deriveReply,
  lifecycle,
  newScratch,
  presenceBit,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import {
  noInjectedFlows,
  type FlowOrigin,
  type InjectedFlows,
} from '../../../src/conntrack/kernel/mirrorListener.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { BypassedInternal } from '../../../src/sync/local/bypassedInternal.js';
import { CachedInternal } from '../../../src/sync/local/cachedInternal.js';
import type { InternalCache, Stance } from '../../../src/sync/local/internalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { ManualFeed } from '../../support/sync/caches.js';

const names = new NameTable();

function flow(number: number): FlowCursor {
  const record = newScratch(names);
  clearScratch(record);
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.learn(presenceBit.ports);
  deriveReply(record);
  return record;
}

interface Setting {
  readonly isBypassed: boolean;
  /** Numbers of flows that the peer has sent. */
  readonly ofPeer?: readonly number[];
  readonly injected?: InjectedFlows;
}

/** A cache, and the numbers of flows that go to the peer: `-` before those that ended. */
class Cached {
  readonly feed = new ManualFeed();
  readonly sent: string[] = [];
  readonly cache: InternalCache;

  constructor({ isBypassed, ofPeer = [], injected }: Setting) {
    const options = {
      table: new FingerprintedTable({ names, hashSeed: 7 }),
      expectationLimit: 16,
      feed: this.feed,
      isPeers: (one: FlowCursor) => ofPeer.includes(one.get(recordWord.originalPorts)),
      ...(injected === undefined ? {} : { injected }),
    };
    this.cache = isBypassed ? new BypassedInternal(options) : new CachedInternal(options);
    const { table } = this.cache;
    const numberOf = (slot: number): string =>
      String(table.seek(slot, table.newCursor()).get(recordWord.originalPorts));
    this.cache.listen({
      flowChanged: (slot) => this.sent.push(numberOf(slot)),
      flowDied: (slot) => this.sent.push(`-${numberOf(slot)}`),
      flowForgotten: () => undefined,
      expectationChanged: () => undefined,
      expectationDied: () => undefined,
      expectationForgotten: () => undefined,
      cleared: () => undefined,
      changeLost: () => this.sent.push('everything'),
      makeRoom: () => undefined,
    });
  }

  appears(number: number, origin: FlowOrigin): number {
    const slot = this.cache.table.insert(flow(number), 1);
    this.cache.created(slot, origin);
    return slot;
  }
}

const both = [false, true].map((isBypassed) => ({ isBypassed }));

describe.each(both)('internal bypass: $isBypassed', ({ isBypassed }) => {
  test('events go to the peer, what own sockets did does not', () => {
    const { cache, sent, ...rest } = node({ isBypassed });
    rest.appears(1, 'event');
    rest.appears(2, 'own');
    cache.destroyed(cache.table.find(flow(1)), 'event');
    expect(sent).toEqual(['1', '-1']);
  });

  test('the end that the peer has heard of frees the slot', () => {
    const { cache, appears } = node({ isBypassed });
    const slot = appears(1, 'event');
    cache.destroyed(slot, 'event');
    expect(cache.table.lifecycle(slot)).toBe(lifecycle.dead);
    cache.acknowledged(slot);
    expect(cache.table.count).toBe(0);
  });

  test('a comparison that is quiet is not heard by the peer', () => {
    const { feed, sent, appears } = node({ isBypassed });
    feed.isQuiet = true;
    appears(1, 'dump');
    feed.isQuiet = false;
    appears(2, 'dump');
    expect(sent).toEqual(['2']);
  });

  test('while flows are committed ahead what own sockets make and end is not this node’s', () => {
    const { cache, appears } = node({ isBypassed });
    const slot = appears(1, 'event');
    cache.setStance('committingAhead');
    appears(2, 'own');
    expect(cache.table.find(flow(2))).toBe(0);
    // Replaced by what is committed: it is this node's all the same.
    cache.destroyed(slot, 'own');
    expect(cache.holds(flow(1))).toBe(true);
    cache.setStance('own');
    cache.destroyed(slot, 'own');
    expect(cache.holds(flow(1))).toBe(false);
  });

  test('what is injected for the peer is none of its own until traffic is seen', () => {
    const used: number[] = [];
    const { appears, cache } = node({
      isBypassed,
      injected: {
        ...noInjectedFlows,
        isInjecting: true,
        ended: (one) => used.push(one.get(recordWord.originalPorts)) > 0,
      },
    });
    appears(1, 'own');
    expect([cache.table.count, used]).toEqual([0, []]);
    appears(1, 'event');
    expect([cache.holds(flow(1)), used]).toEqual([true, [1]]);
  });

  test('listeners hear of ends that are news and of events, until another one takes their place', () => {
    const { cache, appears } = node({ isBypassed });
    const heard: string[] = [];
    cache.onTouched((one) => heard.push(`touched ${one.get(recordWord.originalPorts)}`));
    cache.onEnded((one) => heard.push(`ended ${one.get(recordWord.originalPorts)}`));
    const slot = appears(1, 'event');
    appears(2, 'dump');
    cache.destroyed(slot, 'event');
    cache.onEnded(undefined);
    cache.destroyed(cache.table.find(flow(2)), 'event');
    expect(heard).toEqual(['touched 1', 'ended 1']);
  });
});

describe('with a cache', () => {
  test('every flow stays when the peer has it, and the table is whole', () => {
    const { cache, appears } = node({ isBypassed: false });
    cache.acknowledged(appears(1, 'event'));
    expect(cache.fullTable?.alive).toBe(1);
  });

  test('a dump is counted, and one that is refused is found by the next', () => {
    const { cache, sent, appears } = node({ isBypassed: false });
    appears(1, 'dump');
    cache.refused();
    expect(cache.counters).toMatchObject({ created: 1, full: 1 });
    expect(sent).toEqual(['1']);
  });
});

describe('under the internal bypass', () => {
  test('a flow goes when the peer has it; there is no whole table', () => {
    const { cache, appears } = node({ isBypassed: true });
    cache.acknowledged(appears(1, 'event'));
    expect([cache.fullTable, cache.table.count]).toEqual([undefined, 0]);
  });

  test('during a comparison one that an event named stays until its end', () => {
    const { cache, feed, appears } = node({ isBypassed: true });
    feed.comparing = () => true;
    cache.acknowledged(appears(1, 'event'));
    expect(cache.table.count).toBe(1);
    feed.comparing = () => false;
    cache.comparisonEnded();
    expect(cache.table.count).toBe(0);
  });

  test('events are counted and dumps are not; what found no place is made up for by a bulk', () => {
    const { cache, sent, appears } = node({ isBypassed: true });
    appears(1, 'dump');
    appears(2, 'event');
    cache.refused();
    expect(cache.counters.created).toBe(1);
    expect(sent).toEqual(['1', '2', 'everything']);
  });

  test.each<[Stance, readonly string[]]>([
    ['own', ['1', '2']],
    ['committingAhead', ['2']],
    ['leavingAhead', ['2']],
  ])('with the stance %s a dump sends %j where the peer has 1', (stance, expected) => {
    const { cache, sent, appears } = node({ isBypassed: true, ofPeer: [1] });
    cache.setStance(stance);
    appears(1, 'dump');
    appears(2, 'dump');
    expect(sent).toEqual(expected);
  });
});

function node(setting: Setting): Pick<Cached, 'cache' | 'feed' | 'sent' | 'appears'> {
  const one = new Cached(setting);
  const { cache, feed, sent } = one;
  return { cache, feed, sent, appears: (number, origin) => one.appears(number, origin) };
}
