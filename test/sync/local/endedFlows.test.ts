/**
 * Which ends an internal cache tells the log of ended connections, and what of the event is left.
 */
import {
  clearScratch,
  deriveReply,
  newScratch,
  presenceBit,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { statusBit } from '../../../src/conntrack/constants.js';
import {
  noInjectedFlows,
  type FlowOrigin,
  type InjectedFlows,
} from '../../../src/conntrack/kernel/mirrorListener.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { BypassedInternal } from '../../../src/sync/local/bypassedInternal.js';
import { CachedInternal } from '../../../src/sync/local/cachedInternal.js';
import type { InternalCache } from '../../../src/sync/local/internalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { ManualFeed } from '../../support/sync/caches.js';

const names = new NameTable();

function flow(number: number, status: number): FlowCursor {
  const record = newScratch(names);
  clearScratch(record);
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, number);
  record.set(recordWord.status, status);
  record.learn(presenceBit.ports | presenceBit.status);
  deriveReply(record);
  return record;
}

/** A cache whose log says each end: number, event or record, taken over or not. */
class Logged {
  readonly feed = new ManualFeed();
  readonly told: string[] = [];
  readonly serving = { isServing: true, isTakingOver: false };
  readonly cache: InternalCache;

  constructor(given: { isBypassed?: boolean; ofPeer?: number[]; injected?: InjectedFlows } = {}) {
    const { isBypassed = false, ofPeer = [], injected } = given;
    const numberOf = (one: FlowCursor): number => one.get(recordWord.originalPorts);
    const { serving, told } = this;
    const options = {
      table: new FingerprintedTable({ names, hashSeed: 7 }),
      expectationLimit: 16,
      feed: this.feed,
      isPeers: (one: FlowCursor) => ofPeer.includes(numberOf(one)),
      ...(injected === undefined ? {} : { injected }),
      endedFlows: {
        get isServing() {
          return serving.isServing;
        },
        get isTakingOver() {
          return serving.isTakingOver;
        },
        ended: (one: FlowCursor, event: { bytes: Uint8Array } | undefined, taken: boolean) => {
          const from = event === undefined ? 'record' : `event ${event.bytes.join()}`;
          told.push(`${numberOf(one)} ${from}${taken ? ' taken over' : ''}`);
        },
      },
    };
    this.cache = isBypassed ? new BypassedInternal(options) : new CachedInternal(options);
  }

  begins(number: number, origin: FlowOrigin = 'event', status = 0): void {
    this.cache.created(this.cache.table.insert(flow(number, status), 1), origin);
  }

  ends(number: number, origin: FlowOrigin = 'event'): void {
    this.feed.event = Uint8Array.of(number);
    this.cache.destroyed(this.cache.table.find(flow(number, 0)), origin);
    // The ring of the socket is filled anew.
    this.feed.event = Uint8Array.of(0);
  }
}

const masqueraded = statusBit.assured | statusBit.sourceNat;

test.each([false, true])('an end is told with its event; internal bypass %s', (isBypassed) => {
  const node = new Logged({ isBypassed });
  node.begins(1);
  node.ends(1);
  expect(node.told).toEqual(['1 event 1']);
});

test('what this node removes itself is no end: a purge, taking back', () => {
  const node = new Logged();
  node.begins(1);
  node.ends(1, 'own');
  expect(node.told).toEqual([]);
});

test('an end that a comparison found is told from the record, unless the comparison is quiet', () => {
  const node = new Logged();
  node.begins(1);
  node.begins(2);
  node.ends(1, 'dump');
  node.feed.isQuiet = true;
  node.ends(2, 'dump');
  expect(node.told).toEqual(['1 record']);
});

test('only the node whose role it is tells ends', () => {
  const node = new Logged();
  node.begins(1);
  node.begins(2);
  node.serving.isServing = false;
  node.ends(1);
  node.ends(2, 'dump');
  expect(node.told).toEqual([]);
});

test('a delayed destroy is told later, with the event of then, by whose it was then', () => {
  const node = new Logged();
  node.begins(1, 'event', masqueraded);
  node.ends(1);
  expect(node.told).toEqual([]);
  node.serving.isServing = false;
  for (let i = 0; i < 4; i++) node.cache.tick();
  expect(node.told).toEqual(['1 event 1']);
});

test('what an address that went away ended is no end of a connection, early or late', () => {
  const node = new Logged();
  node.begins(1, 'event', masqueraded);
  node.begins(2, 'event', masqueraded);
  node.ends(1);
  node.feed.isMass = true;
  node.ends(2);
  for (let i = 0; i < 4; i++) node.cache.tick();
  expect(node.told).toEqual([]);
});

test('a flow that lives again has not ended', () => {
  const node = new Logged();
  node.begins(1, 'event', masqueraded);
  node.ends(1);
  const slot = node.cache.table.find(flow(1, 0));
  node.cache.table.replace(slot, flow(1, 0), 2);
  node.cache.created(slot, 'event');
  for (let i = 0; i < 4; i++) node.cache.tick();
  node.ends(1);
  expect(node.told).toEqual(['1 event 1']);
});

test('what this node committed counts since then, however it is seen first', () => {
  const node = new Logged({ ofPeer: [2, 4, 5] });
  node.begins(1, 'own');
  node.serving.isTakingOver = true;
  node.begins(2, 'dump');
  node.begins(3, 'dump');
  // Its beginning was not heard, and a packet came before the comparison.
  node.begins(4, 'event');
  node.serving.isTakingOver = false;
  node.begins(5, 'event');
  for (const number of [1, 2, 3, 4, 5]) node.ends(number);
  expect(node.told).toEqual([
    '1 event 1 taken over',
    '2 event 2 taken over',
    '3 event 3',
    '4 event 4 taken over',
    '5 event 5',
  ]);
});

test('a flow that was committed in advance, and whose packets come before the role, was taken over', () => {
  const node = new Logged({ ofPeer: [1] });
  node.cache.setStance('committingAhead');
  node.begins(1, 'event', masqueraded);
  node.begins(2, 'event');
  node.cache.setStance('own');
  node.ends(1);
  node.ends(2);
  for (let i = 0; i < 4; i++) node.cache.tick();
  expect(node.told).toEqual(['2 event 2', '1 event 1 taken over']);
});

test('another flow in the place of one that was taken over counts from its beginning', () => {
  const node = new Logged();
  node.begins(1, 'own');
  const slot = node.cache.table.find(flow(1, 0));
  node.cache.table.replace(slot, flow(1, 0), 2);
  node.cache.created(slot, 'event');
  node.ends(1);
  expect(node.told).toEqual(['1 event 1']);
});

test('a flow that was injected for the peer, and that this node’s traffic uses, was taken over', () => {
  const node = new Logged({ injected: { ...noInjectedFlows, ended: () => true } });
  node.begins(1);
  node.ends(1);
  expect(node.told).toEqual(['1 event 1 taken over']);
});

test('an emptied cache tells nothing of what it held back', () => {
  const node = new Logged();
  node.begins(1, 'event', masqueraded);
  node.ends(1);
  node.cache.clear(true);
  for (let i = 0; i < 4; i++) node.cache.tick();
  expect(node.told).toEqual([]);
});
