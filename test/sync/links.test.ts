/** Which link is sent on, whose datagrams are taken, and what happens when the kernel takes no more. */
import { formatIp, parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import { seconds } from '../../src/base/time.js';
import type { Channel, ChannelListener, KernelOutcome } from '../../src/net/ports.js';
import { Links } from '../../src/sync/links.js';
import type { SyncLink } from '../../src/sync/settings.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const done: KernelOutcome = { kind: 'done' };
const full: KernelOutcome = { kind: 'refused', errno: 11, message: 'again' };
const unreachable: KernelOutcome = { kind: 'refused', errno: 101, message: 'unreachable' };

class FakeChannel implements Channel {
  outcome: KernelOutcome = done;
  readonly sent: string[] = [];
  #listener: ChannelListener | undefined;
  #writable: (() => void) | undefined;

  onDatagram(listener: ChannelListener): void {
    this.#listener = listener;
  }

  send(datagram: Uint8Array): KernelOutcome {
    if (this.outcome === done) this.sent.push(Buffer.from(datagram).toString());
    return this.outcome;
  }

  onceWritable(callback: () => void): void {
    this.#writable = callback;
  }

  close(): void {
    this.#listener = undefined;
  }

  hear(from: string): void {
    this.#listener?.(Buffer.from('x'), ip(from), 9);
  }

  becomeWritable(): void {
    const callback = this.#writable;
    this.#writable = undefined;
    callback?.();
  }
}

const link = (interfaceName: string, more: Partial<SyncLink> = {}): SyncLink => ({
  kind: 'udp',
  family: 4,
  interfaceName,
  destination: ip('192.0.2.2'),
  port: 3_780,
  isDefault: false,
  checksum: true,
  errorQueueLength: 128,
  ...more,
});

function linksOf(settings: readonly SyncLink[], acceptAnySource = false) {
  const channels = settings.map(() => new FakeChannel());
  const seen = { received: 0, writable: 0, mended: 0 };
  const links = new Links({
    links: settings,
    open: (one) => channels[settings.indexOf(one)] ?? { refused: 'none' },
    acceptAnySource,
    peerSpeaks: true,
    clock: { now: () => seconds(1), wallClock: () => seconds(1) },
    logger: { log: () => undefined },
    receive: () => {
      seen.received++;
      return true;
    },
    room: () => undefined,
    writable: () => {
      seen.writable++;
    },
    mended: () => {
      seen.mended++;
    },
  });
  links.open();
  return { links, channels, seen };
}

const active = (links: Links): string | undefined =>
  links.status().find(({ isActive }) => isActive)?.interfaceName;
const send = (links: Links, ...texts: string[]): void => {
  for (const text of texts) links.send(Buffer.from(text));
};

describe('source', () => {
  test('the peer’s address is taken, a stranger’s is dropped, counted and named', () => {
    const { links, channels, seen } = linksOf([link('nowhere')]);
    channels[0]!.hear('192.0.2.2');
    channels[0]!.hear('198.51.100.66');
    expect(seen.received).toBe(1);
    expect(links).toMatchObject({ strangers: 1, lastStranger: '198.51.100.66' });
  });

  test('an address in the network of the link’s interface is taken', () => {
    const { links, channels, seen } = linksOf([link('lo')]);
    channels[0]!.hear('127.9.9.9');
    expect(seen.received).toBe(1);
    expect(links.strangers).toBe(0);
  });

  test('where any source is accepted nobody is a stranger', () => {
    const { links, channels, seen } = linksOf([link('nowhere')], true);
    channels[0]!.hear('198.51.100.66');
    expect(seen.received).toBe(1);
    expect(links.strangers).toBe(0);
  });

  test('the group of a multicast link is not a source', () => {
    const group = link('nowhere', { kind: 'multicast', destination: ip('225.0.0.50') });
    const { links, channels } = linksOf([group]);
    channels[0]!.hear('225.0.0.50');
    expect(links.lastStranger).toBe(formatIp(ip('225.0.0.50')));
  });
});

describe('fail-over', () => {
  const three = [link('a'), link('b', { isDefault: true }), link('c')];

  test('the default link is sent on, then the first usable one, and not back by itself', () => {
    const { links } = linksOf(three);
    expect(active(links)).toBe('b');
    links.linkState('a', false);
    links.linkState('b', false);
    expect(active(links)).toBe('c');
    links.linkState('b', true);
    expect(active(links)).toBe('c');
  });

  test('where none is usable the last one stays', () => {
    const { links } = linksOf([link('a')]);
    links.linkState('a', false);
    expect(active(links)).toBe('a');
  });

  test('the link on which the peer speaks becomes the active one', () => {
    const { links, channels } = linksOf(three);
    channels[2]!.hear('192.0.2.2');
    expect(active(links)).toBe('c');
    channels[0]!.hear('198.51.100.66');
    expect(active(links)).toBe('c');
  });
});

describe('a full send buffer', () => {
  test('what did not fit waits, goes out in order, and then more is asked for', () => {
    const { links, channels, seen } = linksOf([link('a')]);
    const channel = channels[0]!;
    send(links, '1');
    channel.outcome = full;
    send(links, '2', '3');
    expect(links.isBlocked).toBe(true);
    channel.becomeWritable();
    expect(seen.writable).toBe(0);
    send(links, '4');
    channel.outcome = done;
    channel.becomeWritable();
    expect(channel.sent).toEqual(['1', '2', '3', '4']);
    expect(seen.writable).toBe(1);
    expect(links.isBlocked).toBe(false);
    expect(links.status()[0]).toMatchObject({ datagramsSent: 4, sendErrors: 0 });
  });

  test('what waits is bounded, the rest is counted', () => {
    const { links, channels } = linksOf([link('a')]);
    channels[0]!.outcome = full;
    for (let i = 0; i < 1_000; i++) send(links, 'x');
    channels[0]!.outcome = done;
    channels[0]!.becomeWritable();
    expect(links.status()[0]).toMatchObject({ datagramsSent: 512, sendErrors: 488 });
  });

  test('another refusal is an error and holds nothing up', () => {
    const { links, channels } = linksOf([link('a')]);
    channels[0]!.outcome = unreachable;
    send(links, '1');
    expect(links.isBlocked).toBe(false);
    expect(links.status()[0]).toMatchObject({ sendErrors: 1 });
  });
});
