/** The peer is away for long: what ends meanwhile must not take the places of what lives. */
import { milliseconds, microseconds, seconds, type Microseconds } from '../../src/base/time.js';
import type { Expectation } from '../../src/conntrack/expectation.js';
import { FlowMirror } from '../../src/conntrack/flowMirror.js';
import {
  clearScratch,
  deriveReply,
  has,
  newScratch,
  role,
  word,
  type FlowCursor,
} from '../../src/conntrack/flowRecord.js';
import { NameTable } from '../../src/conntrack/nameTable.js';
import { ExternalCache } from '../../src/sync/externalCache.js';
import { FingerprintedTable } from '../../src/sync/fingerprintedTable.js';
import { InternalCache } from '../../src/sync/internalCache.js';
import { Replicator } from '../../src/sync/replicator.js';
import type { SyncMode } from '../../src/sync/settings.js';
import { DatagramBuilder } from '../../src/sync/wire/datagramBuilder.js';

const names = new NameTable();
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

class Node {
  readonly table = new FingerprintedTable({ limit, names, hashSeed: 1 });
  readonly cache: InternalCache;
  readonly external: ExternalCache;
  readonly sent: Uint8Array[] = [];
  readonly replicator: Replicator;
  readonly mirror: FlowMirror;
  now: Microseconds = seconds(10);
  readonly #flow: FlowCursor = newScratch(names);

  constructor(mode: SyncMode, passesThrough = false) {
    const table = (): FingerprintedTable => new FingerprintedTable({ limit, names, hashSeed: 2 });
    this.cache = new InternalCache(this.table, 100, passesThrough);
    this.external = new ExternalCache(table(), 100, mode === 'ALARM');
    this.replicator = new Replicator({
      settings: {
        mode,
        ackWindowSize: 300,
        resendQueueSize: 131_072,
        refreshTimeSeconds: 2,
        tcpWindowTracking: false,
      },
      internal: this.cache,
      external: this.external,
      builder: new DatagramBuilder(1_472, (run, size) => {
        for (let at = 0; at < run.length; at += size) this.sent.push(run.slice(at, at + size));
      }),
      scratch: newScratch(names),
      random: { below: () => 0 },
      port: {
        wake: () => undefined,
        bulkDone: () => undefined,
        bulkStarted: () => undefined,
        resyncAsked: () => undefined,
      },
    });
    this.mirror = new FlowMirror({
      table: this.table,
      filter: { accepts: () => true, isOwn: () => false, acceptsTuple: () => true } as never,
      kernelFilters: false,
      isOwnPort: () => false,
      clock: { now: () => this.now, wallClock: () => this.now },
      turns: { next: (run) => run() },
      listener: this.cache,
      passesThrough,
    });
  }

  event(kind: 'new' | 'destroy', number: number, status = 0xe): void {
    const flow = this.#flow;
    clearScratch(flow);
    flow.setKind(false, 17);
    flow.setAddressWord(role.originalSource, 0, number);
    flow.setAddressWord(role.originalDestination, 0, 0x0a000001);
    flow.set(word.originalPorts, (1_024 << 16) | 80);
    flow.set(word.status, status);
    flow.learn(has.ports | has.status);
    deriveReply(flow);
    this.mirror.event(kind, flow, 0);
  }

  /** A tenth of a second: what waits goes out, as far as the window lets it. */
  beat(peer?: Node): void {
    this.now = microseconds(this.now + milliseconds(100));
    this.replicator.tick(this.now);
    while (this.replicator.pump(this.now, 1_024));
    for (const datagram of this.sent.splice(0)) peer?.replicator.receive(datagram, this.now);
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
  expect(node.cache.counters.createFailed).toBe(0);
  expect(node.table.alive).toBe(200);
  expect(node.replicator.transmitter.resend.dropped).toBeGreaterThan(0);

  const peer = new Node('FTFW');
  for (let i = 0; i < 100; i++) {
    node.beat(peer);
    peer.now = node.now;
    peer.beat(node);
  }
  expect(peer.external.table.fingerprint.words).toEqual(node.table.fingerprint.words);
  expect([peer.external.table.alive, node.table.count]).toEqual([200, 200]);
});

test('a table that is full of living flows refuses, and counts it', () => {
  const node = new Node('FTFW');
  for (let number = 1; number <= limit + 5; number++) node.event('new', number);
  expect([node.table.alive, node.cache.counters.full]).toEqual([limit, 5]);
});

test('ALARM: an expectation is told again, and forgotten by a peer that hears no more of it', () => {
  const node = new Node('ALARM');
  const peer = new Node('ALARM');
  node.cache.expectationSeen(expectation, 10, true);
  for (let i = 0; i < 50; i++) node.beat(i < 20 ? undefined : peer);
  // The first ones were lost.
  expect(peer.external.expectations.count).toBe(1);
  const [entry] = peer.external.expectations;
  peer.external.expire((entry?.updatedSeconds ?? 0) + 7, 8, 10);
  expect(peer.external.expectations.count).toBe(1);
  peer.external.expire((entry?.updatedSeconds ?? 0) + 8, 8, 10);
  expect(peer.external.expectations.count).toBe(0);
  node.cache.removeExpectation([...node.cache.expectations][0]!);
  node.beat();
  for (let i = 0; i < 50; i++) node.beat(peer);
  expect(peer.external.expectations.count).toBe(0);
});
