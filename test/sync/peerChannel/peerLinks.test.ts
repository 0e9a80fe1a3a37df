/** Sockets of the peer channel: who is heard on them, and what becomes of them when their interface is made anew. */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
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
import { encodePeerMessage } from '../../../src/sync/wire/peerMessage.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const link: SyncLink = {
  kind: 'multicast',
  family: 4,
  interfaceName: 'nowhere',
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

  constructor(interfaceIndex: number) {
    this.interfaceIndex = interfaceIndex;
  }

  onDatagram(listener: ChannelListener): void {
    this.listener = listener;
  }

  send(): { readonly kind: 'done' } {
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
      openChannel: () => {
        if (state.refused !== '') return { refused: state.refused };
        const socket = new Socket(state.index);
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
  const { links, opened, sources } = peerLinks();
  links.tick();
  opened[0]?.listener?.(Buffer.from('x'), ip('198.51.100.66'), 9);
  expect(sources.refused).toMatchObject({ total: 1, last: '198.51.100.66' });
  expect(sources.refused.named).toMatchObject([{ door: 'peer', reason: 'address' }]);
});

const offer = (token: number): Uint8Array => encodePeerMessage({ kind: 'offer', token });

test('a second socket that speaks for a peer that goes on is not heard; one that follows it is', () => {
  const { links, opened, state, sources, reports } = peerLinks();
  links.tick();
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
  for (let i = 0; i < 100; i++) links.tick();
  expect(links.refused).toBe('nowhere: bind the receiver: in use');
  expect(state.logged).toBe(1);
  state.refused = '';
  for (let i = 0; i < 20; i++) links.tick();
  expect(links.refused).toBeUndefined();
  expect(opened).toHaveLength(1);
});

test('a socket of an interface that was made anew is opened anew, at the next tick', () => {
  const { links, opened, state } = peerLinks();
  links.tick();
  links.interfaceIs('another', undefined);
  links.interfaceIs('nowhere', 7);
  links.tick();
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([false]);
  links.interfaceIs('nowhere', undefined);
  state.index = 9;
  links.interfaceIs('nowhere', 9);
  links.tick();
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
});
