/** Sockets of the peer channel: who is heard on them, and what becomes of them when their interface is made anew. */
import { parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import { seconds } from '../../src/base/time.js';
import type { Channel, ChannelListener } from '../../src/net/ports.js';
import type { Engine } from '../../src/sync/engine.js';
import { LinkSources } from '../../src/sync/linkSources.js';
import { PeerLinks } from '../../src/sync/peerLinks.js';
import type { SyncLink } from '../../src/sync/settings.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const link: SyncLink = {
  kind: 'multicast',
  family: 4,
  interfaceName: 'nowhere',
  destination: ip('225.0.0.50'),
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
  const state = { index: 7 };
  const clock = { now: () => seconds(1), wallClock: () => seconds(1) };
  const sources = new LinkSources(false, clock);
  // The parts of an engine that are looked at.
  const engine = {
    ports: {
      clock,
      openChannel: () => {
        const socket = new Socket(state.index);
        opened.push(socket);
        return socket;
      },
    },
    settings: { links: [link], nodeName: 'a' },
    links: {
      active: 0,
      admits: (settings: SyncLink, source: IpAddress) => sources.admits(settings, source),
    },
    observe: () => undefined,
  } as unknown as Engine;
  return { links: new PeerLinks(engine, 3_781, '0'), opened, state, sources };
}

test('a stranger is counted and named with those of the links', () => {
  const { links, opened, sources } = peerLinks();
  links.tick();
  opened[0]?.listener?.(Buffer.from('x'), ip('198.51.100.66'), 9);
  expect(sources).toMatchObject({ strangers: 1, lastStranger: '198.51.100.66' });
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
