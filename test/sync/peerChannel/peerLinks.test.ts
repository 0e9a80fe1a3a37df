/** Sockets of the peer channel: who is heard on them, and what becomes of them when their interface is made anew. */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
import type { Channel, ChannelListener } from '../../../src/net/ports.js';
import type { Engine } from '../../../src/sync/engine/engine.js';
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
  // The parts of an engine that are looked at.
  const engine = {
    ports: {
      clock,
      logger,
      random: { below: () => 1 },
      report: (report: SyncReport) => reports.push(report),
      openChannel: () => {
        if (state.refused !== '') return { refused: state.refused };
        const socket = new Socket(state.index);
        opened.push(socket);
        return socket;
      },
    },
    settings: { links: [link], nodeName: 'a' },
    links: { active: 0, sources },
    observe: () => undefined,
    purge: {},
    mastership: { isKnown: false },
  } as unknown as Engine;
  return { links: new PeerLinks(engine, 3_781, '0'), opened, state, sources, reports };
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
