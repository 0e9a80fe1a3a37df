/** The peer is away for long: what ends meanwhile must not take the places of what lives. */
import { milliseconds, microseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type { Expectation } from '../../../src/conntrack/codec/expectation.js';
import { FlowMirror } from '../../../src/conntrack/kernel/flowMirror.js';
import type { SyncMode } from '../../../src/sync/settings.js';
import { LoneReplicator } from '../../support/sync/loneReplicator.js';

const limit = 1_000;

const between = { source: '0a000001', destination: '0a000002', protocol: 6 };
const expectation: Expectation = {
  isIpv6: false,
  master: { ...between, ports: (40_000 << 16) | 21 },
  tuple: { ...between, ports: 50_000 },
  mask: { source: 'ffffffff', destination: 'ffffffff', protocol: 6, ports: 0xffff },
  timeoutSeconds: 300,
  helper: 'ftp',
};

/** With a mirror in front, as in the engine. */
class Node extends LoneReplicator {
  readonly mirror: FlowMirror;
  now: Microseconds = seconds(10);

  constructor(mode: SyncMode, expectationSync: 'all' | 'off' = 'all') {
    super({ mode, limit, resendLimit: 131_072, expectationSync });
    this.mirror = new FlowMirror({
      table: this.internal.table,
      filter: { accepts: () => true, isOwn: () => false, acceptsTuple: () => true } as never,
      kernelFilters: false,
      isOwnPort: () => false,
      clock: { now: () => this.now, wallClock: () => this.now },
      turns: { next: (run) => run() },
      listener: this.internal,
    });
  }

  event(kind: 'new' | 'destroy', number: number): void {
    this.mirror.event(kind, this.flow(number), 0);
  }

  /** A tenth of a second: what waits goes out, as far as the window lets it. */
  beat(peer?: Node): void {
    this.now = microseconds(this.now + milliseconds(100));
    this.replicator.tick(this.now);
    const datagrams = this.drain(this.now);
    peer?.receive(datagrams, this.now);
  }
}

test('FTFW: flows that ended give their places to new ones, and the peer is told everything when it is back', () => {
  const node = new Node('FTFW');
  for (let number = 1; number <= 200; number++) node.event('new', number);
  // Ten tables full of short connections while nobody answers.
  for (let number = 1_000; number < 11_000; number++) {
    node.event('new', number);
    node.event('destroy', number);
    if (number % 100 === 0) node.beat();
  }
  expect(node.internal.counters.createFailed).toBe(0);
  expect(node.internal.table.alive).toBe(200);
  expect(node.replicator.transmitter.resend.dropped).toBeGreaterThan(0);

  const peer = new Node('FTFW');
  for (let i = 0; i < 100; i++) {
    node.beat(peer);
    peer.now = node.now;
    peer.beat(node);
  }
  expect(peer.external.table.fingerprint.words).toEqual(node.internal.table.fingerprint.words);
  expect([peer.external.table.alive, node.internal.table.count]).toEqual([200, 200]);
});

test('a table that is full of living flows refuses, and counts it', () => {
  const node = new Node('FTFW');
  for (let number = 1; number <= limit + 5; number++) node.event('new', number);
  expect([node.internal.table.alive, node.internal.counters.full]).toEqual([limit, 5]);
});

test.each(['ALARM', 'NOTRACK'] as const)(
  '%s: with ExpectationSync off no expectation of the peer is taken, and its flows are',
  (mode) => {
    const node = new Node(mode);
    const peer = new Node(mode, 'off');
    node.internal.expectationSeen(expectation, 10, true);
    node.event('new', 1);
    for (let i = 0; i < 50; i++) node.beat(peer);
    expect([peer.external.expectations.count, peer.external.table.alive]).toEqual([0, 1]);
    expect(peer.replicator.receiver.malformedTotal).toBe(0);
  },
);

test('ALARM: an expectation is told again, and forgotten by a peer that hears no more of it', () => {
  const node = new Node('ALARM');
  const peer = new Node('ALARM');
  node.internal.expectationSeen(expectation, 10, true);
  for (let i = 0; i < 50; i++) node.beat(i < 20 ? undefined : peer);
  // The first ones were lost.
  expect(peer.external.expectations.count).toBe(1);
  const [entry] = peer.external.expectations;
  peer.external.expire((entry?.updatedSeconds ?? 0) + 7, 8, 10);
  expect(peer.external.expectations.count).toBe(1);
  peer.external.expire((entry?.updatedSeconds ?? 0) + 8, 8, 10);
  expect(peer.external.expectations.count).toBe(0);
  node.internal.removeExpectation([...node.internal.expectations][0]!);
  node.beat();
  for (let i = 0; i < 50; i++) node.beat(peer);
  expect(peer.external.expectations.count).toBe(0);
});
