/** Which expectations the peer hears of, also where the kernel reports one before its master. */
import { microseconds, type Clock } from '../../../src/base/time.js';
import { seekMaster, type Expectation } from '../../../src/conntrack/codec/expectation.js';
import { newScratch } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { cachedExpectations } from '../../../src/sync/local/cachedFeed.js';
import { ExpectationFeed } from '../../../src/sync/local/expectationFeed.js';
import { WaitingExpectations } from '../../../src/sync/local/waitingExpectations.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { cachedInternal } from '../../support/sync/caches.js';

const clock: Clock = { now: () => microseconds(5_000_000), wallClock: () => microseconds(0) };

/** One of port `port` whose master has the source port `master`. */
function expectation(
  port: number,
  master: number,
  changes: Partial<Expectation> = {},
): Expectation {
  const tuple = { source: '0a000001', destination: '0a000002', protocol: 17 };
  return {
    isIpv6: false,
    master: { ...tuple, ports: master * 65_536 + 5060 },
    tuple: { ...tuple, ports: port },
    mask: { ...tuple, ports: 0xffff },
    timeoutSeconds: 180,
    helper: 'sip',
    ...changes,
  };
}

class Bench {
  readonly names = new NameTable();
  readonly cache = cachedInternal(new FingerprintedTable({ names: this.names, hashSeed: 7 }), 64);
  readonly feed = new ExpectationFeed({
    setting: ['sip'],
    names: this.names,
    cache: this.cache,
    rules: cachedExpectations(this.cache),
    clock,
  });
  /** Flows and ports of expectations in the order in which the peer is to hear of them. */
  readonly sent: string[] = [];

  constructor() {
    this.cache.listen({
      flowChanged: () => this.sent.push('flow'),
      flowDied: () => undefined,
      flowForgotten: () => undefined,
      expectationChanged: ({ content }) => this.sent.push(`expected ${content.tuple.ports}`),
      expectationDied: ({ content }) => this.sent.push(`ended ${content.tuple.ports}`),
      expectationForgotten: () => undefined,
      cleared: () => undefined,
      changeLost: () => undefined,
      makeRoom: () => undefined,
    });
  }

  masterAppears(source: number): void {
    const master = seekMaster(newScratch(this.names), expectation(0, source));
    this.cache.created(this.cache.table.insert(master, 5), 'event');
  }
}

describe('an expectation that comes before its master', () => {
  test('is told behind its master, and only those of that master', () => {
    const { feed, sent, ...bench } = prepared();
    feed.event('new', expectation(4000, 1), true);
    feed.event('new', expectation(4001, 1), true);
    feed.event('new', expectation(5000, 2), true);
    expect(sent).toEqual([]);
    bench.appears(3);
    bench.appears(1);
    expect(sent).toEqual(['flow', 'flow', 'expected 4000', 'expected 4001']);
    expect(feed.waiting).toBe(1);
    bench.appears(2);
    expect([sent.slice(4), feed.waiting]).toEqual([['flow', 'expected 5000'], 0]);
  });

  test('that has ended before its master came is never told', () => {
    const { feed, sent, ...bench } = prepared();
    feed.event('new', expectation(4000, 1), true);
    feed.event('destroy', expectation(4000, 1), true);
    bench.appears(1);
    expect([sent, feed.waiting]).toEqual([['flow'], 0]);
  });

  test('does not wait where its helper is not named', () => {
    const { feed } = prepared();
    feed.event('new', expectation(4000, 1, { helper: 'ftp' }), true);
    expect(feed.waiting).toBe(0);
  });

  test('of this node itself is cached, and the peer hears nothing of it', () => {
    const { feed, sent, cache, ...bench } = prepared();
    feed.event('new', expectation(4000, 1), false);
    bench.appears(1);
    expect([sent, cache.expectations.count]).toEqual([['flow'], 1]);
  });
});

test('one whose master is known is told at once, and so is its end', () => {
  const { feed, sent, ...bench } = prepared();
  bench.appears(1);
  feed.event('new', expectation(4000, 1), true);
  feed.event('destroy', expectation(4000, 1), true);
  expect(sent).toEqual(['flow', 'expected 4000', 'ended 4000']);
});

test('what waits is bounded: the one that has waited longest makes room', () => {
  const waiting = new WaitingExpectations();
  const keep = (port: number): void =>
    waiting.keep({ content: expectation(port, 1), masterHash: 9, heardSeconds: 0, isNews: true });
  for (let port = 1; port <= 1_025; port++) keep(port);
  expect(waiting.count).toBe(1_024);
  // Known already: in its new place, and nobody makes room.
  keep(2);
  const ports = waiting.take(9).map(({ content }) => content.tuple.ports);
  expect([ports.length, ports[0], ports.at(-1), waiting.count]).toEqual([1_024, 3, 2, 0]);
});

function prepared(): Pick<Bench, 'feed' | 'sent' | 'cache'> & {
  appears: (source: number) => void;
} {
  const bench = new Bench();
  const { feed, sent, cache } = bench;
  return { feed, sent, cache, appears: (source) => bench.masterAppears(source) };
}
