/** Sockets of the peer channel: who is heard on them, and what becomes of them when their interface is made anew. */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { addTime, milliseconds, seconds } from '../../../src/base/time.js';
import type { Channel, ChannelListener } from '../../../src/net/ports.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import { noInjectedFlows } from '../../../src/conntrack/kernel/mirrorListener.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { Mastership } from '../../../src/sync/comparison/mastership.js';
import type { LinkedEngine } from '../../../src/sync/peerChannel/channelEngine.js';
import { CatchUp } from '../../../src/sync/remote/catchUp.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { ManualTurns } from '../../support/base/manualTurns.js';
import { cachedInternal } from '../../support/sync/caches.js';
import { LinkSources } from '../../../src/sync/links/linkSources.js';
import { PeerLinks } from '../../../src/sync/peerChannel/peerLinks.js';
import type { SyncReport } from '../../../src/sync/messages.js';
import type { SyncLink } from '../../../src/sync/settings.js';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../src/sync/wire/peerMessage.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const link: SyncLink = {
  kind: 'multicast',
  family: 4,
  interfaceName: 'nowhere',
  localAddress: ip('10.0.0.1'),
  destination: ip('224.0.0.50'),
  port: 3_780,
  isDefault: false,
  checksum: true,
  errorQueueLength: 128,
};

class Socket implements Channel {
  readonly interfaceIndex: number;
  isClosed = false;
  listener: ChannelListener | undefined;
  readonly link: SyncLink;
  readonly sent: PeerMessage[] = [];

  constructor(interfaceIndex: number, link: SyncLink) {
    this.interfaceIndex = interfaceIndex;
    this.link = link;
  }

  onDatagram(listener: ChannelListener): void {
    this.listener = listener;
  }

  send(datagram: Uint8Array): { readonly kind: 'done' } {
    const message = decodePeerMessage(datagram);
    if (message !== undefined) this.sent.push(message);
    return { kind: 'done' };
  }

  close(): void {
    this.isClosed = true;
  }
}

function peerLinks() {
  const opened: Socket[] = [];
  const reports: SyncReport[] = [];
  const state = { index: 7, now: seconds(1), logged: 0, refused: '' };
  const clock = { now: () => state.now, wallClock: () => state.now };
  const logger = { log: () => state.logged++ };
  const sources = new LinkSources({
    acceptAny: true,
    multicastPeers: [ip('10.0.0.2')],
    clock,
    logger,
  });
  const names = new NameTable();
  const table = (): FingerprintedTable => new FingerprintedTable({ names, limit: 10, hashSeed: 1 });
  const external = new ExternalCache(table(), 10, false);
  const random = { below: () => 1 };
  // The parts of an engine that are looked at.
  const engine: LinkedEngine = {
    ports: {
      ...{ clock, logger, random },
      turns: new ManualTurns(),
      report: (report: SyncReport) => reports.push(report),
      openChannel: (wanted: SyncLink) => {
        if (state.refused !== '') return { refused: state.refused };
        const socket = new Socket(state.index, wanted);
        opened.push(socket);
        return socket;
      },
    },
    settings: { links: [link], nodeName: 'a', mode: 'FTFW' },
    links: { active: 0, sources },
    ...{ names, external },
    filter: new FlowFilter({}, []),
    externalMode: { committable: external, injected: noInjectedFlows },
    internal: cachedInternal(table(), 10),
    feed: { addOwn: () => () => undefined },
    catchUp: new CatchUp(),
    check: { doubt: undefined, view: { isApart: false, isEmptied: false } },
    reportCaughtUp: () => undefined,
    sweepExternal: () => Promise.resolve(0),
    observe: () => undefined,
    replicator: {
      askResync: () => true,
      acknowledgeNow: () => undefined,
      machine: { last: undefined, lastGap: undefined, counters: { lost: 0 } },
      resync: { answered: () => undefined, ask: () => undefined },
      transmitter: { nextSequence: 1, waiting: 0, isBulkRunning: false },
    },
  };
  const role = {
    mastership: new Mastership(random, { onEnded: () => undefined, setServing: () => undefined }),
    leftovers: { count: 0, isStill: () => false },
    isPurgePending: false,
    peerWasMaster: () => undefined,
  };
  const port = {
    port: 3_781,
    version: '0',
    stepDownAnswered: () => undefined,
    targetsTold: () => undefined,
  };
  return { links: new PeerLinks(engine, role, port), opened, state, sources, reports };
}

test('a stranger is counted and named with those of the links', () => {
  const { links, opened, sources, state } = peerLinks();
  links.tick(state.now);
  opened[0]?.listener?.(Buffer.from('x'), ip('198.51.100.66'), 9);
  expect(sources.refused).toMatchObject({ total: 1, last: '198.51.100.66' });
  expect(sources.refused.named).toMatchObject([{ door: 'peer', reason: 'address' }]);
});

const offer = (token: number): Uint8Array => encodePeerMessage({ kind: 'offer', token });

test('a second socket that speaks for a peer that goes on is not heard; one that follows it is', () => {
  const { links, opened, state, sources, reports } = peerLinks();
  links.tick(state.now);
  const hear = (port: number, token: number): void =>
    opened[0]?.listener?.(offer(token), ip('10.0.0.2'), port, { ttl: 255 });
  hear(9, 1);
  state.now = milliseconds(1_500);
  hear(66, 2);
  state.now = milliseconds(2_600);
  hear(9, 1);
  expect(reports).toEqual([{ kind: 'handoverOffered' }]);
  expect(sources.refused.counts).toEqual({ stream: 1 });
  state.now = milliseconds(4_700);
  hear(10, 3);
  expect(reports).toHaveLength(2);
});

test('a port that is in use is told once, and opened when it is free', () => {
  const { links, opened, state } = peerLinks();
  state.refused = 'bind the receiver: in use';
  for (let i = 0; i < 100; i++) links.tick(state.now);
  expect(links.refused).toBe('nowhere: bind the receiver: in use');
  expect(state.logged).toBe(1);
  state.refused = '';
  for (let i = 0; i < 20; i++) links.tick(state.now);
  expect(links.refused).toBeUndefined();
  expect(opened).toHaveLength(1);
});

test('a socket of an interface that was made anew is opened anew, at the next tick', () => {
  const { links, opened, state } = peerLinks();
  links.tick(state.now);
  links.interfaceIs('another', undefined);
  links.interfaceIs('nowhere', 7);
  links.tick(state.now);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false]);
  links.interfaceIs('nowhere', undefined);
  state.index = 9;
  links.interfaceIs('nowhere', 9);
  links.tick(state.now);
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
});

describe('beside a group', () => {
  const peer = ip('10.0.0.2');
  const near = { ttl: 255 };
  const hello = (direct?: number): Uint8Array =>
    encodePeerMessage({
      ...{ kind: 'hello', name: 'b', version: '0', heard: true },
      ...(direct === undefined ? {} : { direct }),
    });
  const path = (heard: boolean): Uint8Array =>
    encodePeerMessage({ kind: 'path', token: 77, heard });

  /** The peer has said its token to the group, and shown it from port 700 of its own address. */
  function direct() {
    const made = peerLinks();
    const { links, opened, state } = made;
    links.tick(state.now);
    const inGroup = (datagram: Uint8Array, port = 600): void =>
      opened[0]?.listener?.(datagram, peer, port, near);
    inGroup(hello(77));
    links.tick(state.now);
    const directly = (datagram: Uint8Array, port = 700): void =>
      opened[1]?.listener?.(datagram, peer, port, near);
    directly(path(true));
    const after = (ms: number): void => {
      state.now = addTime(state.now, milliseconds(ms));
      links.tick(state.now);
      links.channel.tick(state.now);
    };
    return { ...made, inGroup, directly, after };
  }

  const kinds = ({ sent }: Socket): Set<string> => new Set(sent.map(({ kind }) => kind));

  test('the peer is spoken to at its own address; greetings go to the group as well', () => {
    const { opened, after } = direct();
    const [group, own] = opened as [Socket, Socket];
    expect(own.link).toMatchObject({ kind: 'udp', destination: peer, port: 3_781 });
    group.sent.length = 0;
    after(1_000);
    expect(kinds(own)).toEqual(new Set(['path', 'hello', 'digest', 'holds']));
    expect(kinds(group)).toEqual(new Set(['hello']));
  });

  test('an older keepstate is spoken to in the group', () => {
    const { opened, after, inGroup } = direct();
    inGroup(hello());
    const [group, own] = opened as [Socket, Socket];
    group.sent.length = 0;
    after(1_000);
    expect(kinds(group).size).toBeGreaterThan(1);
    expect([opened.length, own.isClosed]).toEqual([2, true]);
  });

  test('while it speaks there nobody in the group is the peer, and its greetings are no stranger’s', () => {
    const { directly, inGroup, after, reports, sources } = direct();
    for (let second = 0; second < 4; second++) {
      directly(path(true));
      directly(hello());
      inGroup(hello(77));
      after(1_000);
    }
    expect(sources.refused.total).toBe(0);
    inGroup(offer(1), 666);
    after(1_500);
    directly(path(true));
    directly(hello());
    expect(reports).toEqual([]);
    expect(sources.refused.counts).toEqual({ stream: 1 });
    directly(offer(2));
    expect(reports).toEqual([{ kind: 'handoverOffered' }]);
  });

  test('what it said to the group just before is heard', () => {
    const { directly, inGroup, reports, sources } = direct();
    directly(hello());
    inGroup(offer(1));
    directly(hello());
    expect(reports).toHaveLength(1);
    expect(sources.refused.total).toBe(0);
  });

  test('a peer that starts again is heard in the group when its old life is silent', () => {
    const { directly, inGroup, after, opened, sources } = direct();
    const [group] = opened as [Socket];
    directly(hello());
    after(1_500);
    inGroup(hello(78), 601);
    after(600);
    inGroup(hello(78), 601);
    group.sent.length = 0;
    after(1_000);
    expect(kinds(group)).toContain('holds');
    expect(sources.refused.total).toBe(0);
  });
});
