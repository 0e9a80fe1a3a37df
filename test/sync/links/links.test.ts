/** Which link is sent on, whose datagrams are taken, and what happens when the kernel takes no more. */
import { formatIp, parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { milliseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type {
  Arrival,
  Channel,
  ChannelListener,
  KernelOutcome,
  StreamControl,
  StreamWatcher,
} from '../../../src/net/ports.js';
import { Links } from '../../../src/sync/links/links.js';
import type { SyncLink } from '../../../src/sync/settings.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const done: KernelOutcome = { kind: 'done' };
const full: KernelOutcome = { kind: 'refused', errno: 11, message: 'again' };
const unconnected: KernelOutcome = { kind: 'refused', errno: 107, message: 'not connected' };
const unreachable: KernelOutcome = { kind: 'refused', errno: 101, message: 'unreachable' };

class FakeChannel implements Channel {
  interfaceIndex?: number;
  receiveErrors?: number;
  isClosed = false;
  outcome: KernelOutcome = done;
  readonly sent: string[] = [];
  sendRun?: (datagrams: Uint8Array, size: number) => KernelOutcome;
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
    this.isClosed = true;
  }

  hear(from: string, port = 9, arrival?: Arrival): void {
    this.#listener?.(Buffer.from('x'), ip(from), port, arrival);
  }

  becomeWritable(): void {
    const callback = this.#writable;
    this.#writable = undefined;
    callback?.();
  }
}

/** A channel over connections, which the test makes and ends. */
class FakeStream extends FakeChannel implements StreamControl {
  readonly stream: StreamControl = this;
  isSending = true;
  isReceiving = true;
  restarts = 0;
  #watcher: StreamWatcher | undefined;

  watch(watcher: StreamWatcher): void {
    this.#watcher = watcher;
  }

  restart(): void {
    this.restarts++;
  }

  connection(isConnected: boolean): void {
    this.isSending = isConnected;
    this.outcome = isConnected ? done : unconnected;
    this.#watcher?.changed('sending', isConnected, 'test');
    this.becomeWritable();
  }

  admits(from: string): boolean | undefined {
    return this.#watcher?.admits(ip(from));
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
  return linksOver(
    settings,
    settings.map(() => new FakeChannel()),
    acceptAnySource,
  );
}

function streamsOf(settings: readonly SyncLink[]) {
  return linksOver(
    settings,
    settings.map(() => new FakeStream()),
  );
}

function linksOver<C extends FakeChannel>(
  settings: readonly SyncLink[],
  channels: C[],
  acceptAnySource = false,
) {
  const seen = {
    received: 0,
    writable: 0,
    mended: 0,
    moved: 0,
    room: 0,
    now: seconds(1),
    logged: 0,
    /** The next datagrams go on where the stream stands. */
    continues: true,
  };
  const links = new Links({
    links: settings,
    open: (one) => channels[settings.indexOf(one)] ?? { refused: 'none' },
    acceptAnySource,
    peerSpeaks: true,
    clock: { now: () => seen.now, wallClock: () => seen.now },
    logger: { log: () => seen.logged++ },
    receive: () => {
      seen.received++;
      return true;
    },
    continues: () => seen.continues,
    hostChanged: () => undefined,
    peerMoved: () => {
      seen.moved++;
    },
    room: (bytes) => {
      seen.room = bytes;
    },
    writable: () => {
      seen.writable++;
    },
    recovered: () => {
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
    expect(links.sources.refused).toMatchObject({ total: 1, last: '198.51.100.66' });
  });

  test('the peer that speaks from another port has another socket; a stranger’s port is nothing', () => {
    const { channels, seen } = linksOf([link('nowhere'), link('elsewhere')]);
    channels[0]!.hear('192.0.2.2', 9);
    channels[1]!.hear('192.0.2.2', 10);
    channels[0]!.hear('192.0.2.2', 9);
    channels[0]!.hear('198.51.100.66', 11);
    expect(seen.moved).toBe(0);
    seen.now = seconds(3);
    channels[0]!.hear('192.0.2.2', 12);
    expect(seen.moved).toBe(1);
    channels[0]!.hear('192.0.2.2', 12);
    expect(seen.moved).toBe(1);
  });

  test('a second socket that speaks for a peer that goes on is refused, counted and named', () => {
    const { links, channels, seen } = linksOf([link('nowhere')]);
    for (let tenths = 10; tenths < 60; tenths++) {
      seen.now = milliseconds(tenths * 100);
      if (tenths % 10 === 0) channels[0]!.hear('192.0.2.2', 9);
      channels[0]!.hear('192.0.2.2', 66);
    }
    expect(seen).toMatchObject({ received: 5, moved: 0 });
    expect(links.sources.refused.counts).toEqual({ stream: 40 });
    expect(links.sources.refused.named).toMatchObject([{ address: '192.0.2.2', door: 'sync' }]);
  });

  test('another link of the peer is taken where the stream goes on there, or the first is down', () => {
    const { links, channels, seen } = linksOf([link('a'), link('b')]);
    channels[0]!.hear('192.0.2.2', 9);
    seen.continues = false;
    channels[1]!.hear('192.0.2.2', 10);
    expect(active(links)).toBe('a');
    links.linkState('a', false);
    channels[1]!.hear('192.0.2.2', 10);
    expect(seen.received).toBe(2);
  });

  test('an address in the network of the link’s interface is the peer’s on multicast alone', () => {
    const { channels, seen } = linksOf([
      link('lo'),
      link('lo', { kind: 'multicast', destination: ip('225.0.0.50') }),
    ]);
    channels[0]!.hear('127.9.9.9');
    expect(seen.received).toBe(0);
    channels[1]!.hear('127.9.9.9');
    expect(seen.received).toBe(1);
  });

  test('what comes in by another device, or through a router after it did not, is not the peer’s', () => {
    const { links, channels, seen } = linksOf([link('nowhere')]);
    channels[0]!.hear('192.0.2.2', 9, { ttl: 64, strangeDevice: 'lan' });
    expect(seen.received).toBe(0);
    for (const ttl of [64, 255, 64, 254, undefined, 255]) {
      channels[0]!.hear('192.0.2.2', 9, { ttl });
    }
    expect(seen.received).toBe(3);
    expect(links.sources.refused.counts).toEqual({ device: 1, ttl: 3 });
  });

  test('where any source is accepted nobody is a stranger', () => {
    const { links, channels, seen } = linksOf([link('nowhere')], true);
    channels[0]!.hear('198.51.100.66', 9, { ttl: 3, strangeDevice: 'lan' });
    expect(seen.received).toBe(1);
    expect(links.sources.refused.total).toBe(0);
    expect(
      links.sources.admits(link('nowhere'), 'peer', { source: ip('198.51.100.66'), port: 1 }),
    ).toBe(false);
  });

  test('the group of a multicast link is not a source', () => {
    const group = link('nowhere', { kind: 'multicast', destination: ip('225.0.0.50') });
    const { links, channels } = linksOf([group]);
    channels[0]!.hear('225.0.0.50');
    expect(links.sources.refused.last).toBe(formatIp(ip('225.0.0.50')));
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

describe('a path that is dead although it has carrier', () => {
  const pass = (
    { links, seen }: { links: Links; seen: { now: Microseconds } },
    amount: number,
  ): void => {
    seen.now = seconds(seen.now / 1_000_000 + amount);
    links.tick(seen.now);
  };

  test('where the peer is not heard the next link is tried, round and round, and told once', () => {
    const all = linksOf([link('a'), link('b'), link('c')]);
    all.links.linkState('b', false);
    pass(all, 3.9);
    expect(active(all.links)).toBe('a');
    pass(all, 0.2);
    expect(active(all.links)).toBe('c');
    pass(all, 4);
    expect(active(all.links)).toBe('a');
    expect(all.seen.logged).toBe(1);
  });

  test('while the peer is heard the link stays, and silence is counted from then', () => {
    const all = linksOf([link('a'), link('b')]);
    for (let i = 0; i < 10; i++) {
      pass(all, 3);
      all.channels[0]!.hear('192.0.2.2');
    }
    expect(active(all.links)).toBe('a');
    pass(all, 4);
    expect(active(all.links)).toBe('b');
  });

  test('one link is never left', () => {
    const all = linksOf([link('a')]);
    pass(all, 60);
    expect(active(all.links)).toBe('a');
  });

  test('what was still on its way on a link that went down does not bring it back', () => {
    const { links, channels } = linksOf([link('a'), link('b')]);
    links.linkState('a', false);
    channels[0]!.hear('192.0.2.2');
    expect(active(links)).toBe('b');
  });

  test('after a change of links the engine is told once, when the peer is heard', () => {
    const { links, channels, seen } = linksOf([link('a'), link('b')]);
    links.linkState('a', false);
    expect(seen.mended).toBe(0);
    channels[1]!.hear('192.0.2.2');
    channels[1]!.hear('192.0.2.2');
    expect(seen.mended).toBe(1);
  });
});

describe('an interface that is deleted and made again', () => {
  function linkOn(index: number | undefined, ...others: readonly string[]) {
    const settings = [link('a'), ...others.map((name) => link(name))];
    const channels = settings.map(() => new FakeChannel());
    const [first] = channels;
    if (first === undefined) throw new Error('there is a link');
    if (index !== undefined) first.interfaceIndex = index;
    return { first, ...linksOver(settings, channels) };
  }

  test('sockets that belong to the old one are closed, and others are opened at the next tick', () => {
    const { links, channels, seen, first } = linkOn(7);
    links.linkState('a', true, 1_500, 7);
    expect(first.isClosed).toBe(false);
    links.linkState('a', false);
    expect(first.isClosed).toBe(true);
    expect(links.status()[0]?.isUsable).toBe(false);
    const next = new FakeChannel();
    channels[0] = next;
    next.interfaceIndex = 9;
    links.linkState('a', true, 1_500, 9);
    links.tick(seen.now);
    send(links, 'x');
    expect(next.sent).toEqual(['x']);
    links.linkState('a', true, 1_500, 9);
    expect(next.isClosed).toBe(false);
    next.hear('192.0.2.2');
    expect(seen.mended).toBe(1);
  });

  test('where only the end of it is told, by another index, it is the same', () => {
    const { links, first } = linkOn(7);
    links.linkState('a', true, 1_500, 9);
    expect(first.isClosed).toBe(true);
  });

  test('sockets that do not depend on it are kept', () => {
    const { links, first } = linkOn(undefined);
    links.linkState('a', false);
    links.linkState('a', true, 1_500, 9);
    expect(first.isClosed).toBe(false);
  });

  test('what waits goes to the next link, or nobody waits for it', () => {
    const two = linkOn(7, 'b');
    two.first.outcome = full;
    send(two.links, 'x', 'y');
    two.links.linkState('a', false);
    expect(two.channels[1]?.sent).toEqual(['x', 'y']);
    const one = linkOn(7);
    one.first.outcome = full;
    send(one.links, 'x', 'y');
    expect(one.links.isBlocked).toBe(true);
    one.links.linkState('a', false);
    expect(one.links.isBlocked).toBe(false);
    expect(one.links.status()[0]?.sendErrors).toBe(2);
    expect(one.seen.writable).toBe(1);
  });

  test('what the old sockets could not read stays counted', () => {
    const { links, channels, seen, first } = linkOn(7);
    first.receiveErrors = 3;
    links.linkState('a', true, 1_500, 9);
    expect(links.status()[0]?.receiveErrors).toBe(3);
    const next = new FakeChannel();
    next.receiveErrors = 1;
    channels[0] = next;
    links.tick(seen.now);
    expect(links.status()[0]?.receiveErrors).toBe(4);
  });

  test('why it cannot be opened is told once', () => {
    const { links, channels, seen } = linkOn(7);
    links.linkState('a', false);
    channels.length = 0;
    const before = seen.logged;
    for (let second = 2; second < 10; second++) links.tick(seconds(second));
    expect(seen.logged - before).toBe(1);
  });
});

describe('MTU', () => {
  test('a change is followed on the active link, and the next link brings its own', () => {
    const { links, seen } = linksOf([link('a'), link('b')]);
    expect(seen.room).toBe(1_472);
    links.linkState('a', true, 9_000);
    expect(seen.room).toBe(8_972);
    links.linkState('b', true, 1_400);
    expect(seen.room).toBe(8_972);
    links.linkState('a', false, 9_000);
    expect(seen.room).toBe(1_372);
  });
});

describe('links over connections', () => {
  const tcp = (name: string, more: Partial<SyncLink> = {}): SyncLink =>
    link(name, { kind: 'tcp', errorQueueLength: 3, ...more });

  test('a stranger’s connection is refused, counted and named; the peer’s is taken', () => {
    const { links, channels } = streamsOf([tcp('nowhere')]);
    expect(channels[0]!.admits('198.51.100.66')).toBe(false);
    expect(channels[0]!.admits('192.0.2.2')).toBe(true);
    expect(links.sources.refused).toMatchObject({ total: 1, last: '198.51.100.66' });
  });

  test('without a connection nothing stops: the newest few wait, and go first afterwards', () => {
    const { links, channels, seen } = streamsOf([tcp('a')]);
    channels[0]!.connection(false);
    send(links, '1', '2', '3', '4', '5');
    expect(links.isBlocked).toBe(false);
    expect(links.status()[0]).toMatchObject({ datagramsSent: 0, sendErrors: 2, isSending: false });
    channels[0]!.connection(true);
    send(links, '6');
    expect(channels[0]!.sent).toEqual(['3', '4', '5', '6']);
    expect(seen.writable).toBe(1);
  });

  test('while one is made everything waits; when it fails the senders go on', () => {
    const { links, channels, seen } = streamsOf([tcp('a')]);
    const channel = channels[0]!;
    channel.outcome = full;
    send(links, '1', '2', '3', '4', '5');
    expect(links.isBlocked).toBe(true);
    channel.connection(false);
    expect(links.isBlocked).toBe(false);
    expect(seen.writable).toBe(1);
    channel.connection(true);
    expect(channel.sent).toEqual(['3', '4', '5']);
  });

  test('a link without a connection is left for one that has one, with what waits', () => {
    const { links, channels, seen } = streamsOf([tcp('a'), tcp('b')]);
    channels[0]!.connection(false);
    send(links, '1', '2');
    expect(active(links)).toBe('a');
    links.tick(seen.now);
    expect(active(links)).toBe('b');
    expect(channels[1]!.sent).toEqual(['1', '2']);
    // Its pause between attempts is not cut short.
    expect(channels[0]!.restarts).toBe(0);
    channels[0]!.connection(true);
    links.tick(seen.now);
    expect(active(links)).toBe('b');
    expect(channels[0]!.sent).toEqual([]);
  });

  test('what is still under way on a link that is left must not arrive late', () => {
    const { links, channels } = streamsOf([tcp('a'), tcp('b')]);
    channels[1]!.hear('192.0.2.2');
    expect(active(links)).toBe('b');
    expect([channels[0]!.restarts, channels[1]!.restarts]).toEqual([1, 0]);
  });

  test('where no link has a connection the active one stays', () => {
    const { links, channels, seen } = streamsOf([tcp('a'), tcp('b')]);
    channels[0]!.connection(false);
    channels[1]!.connection(false);
    links.tick(seen.now);
    expect(active(links)).toBe('a');
  });

  test('a failed interface goes over to a link with a connection before others', () => {
    const { links, channels } = streamsOf([tcp('a'), tcp('b'), tcp('c')]);
    channels[1]!.connection(false);
    links.linkState('a', false);
    expect(active(links)).toBe('c');
  });

  test('an interface that is back is connected over at once', () => {
    const { links, channels } = streamsOf([tcp('a')]);
    channels[0]!.connection(false);
    links.linkState('a', false);
    links.linkState('a', true);
    expect(channels[0]!.restarts).toBe(1);
  });

  test('the engine is told when a connection that was cut stands again and the peer is heard', () => {
    const { channels, seen } = streamsOf([tcp('a')]);
    channels[0]!.hear('192.0.2.2');
    expect(seen.mended).toBe(0);
    channels[0]!.connection(false);
    channels[0]!.hear('192.0.2.2');
    channels[0]!.connection(true);
    expect(seen.mended).toBe(0);
    channels[0]!.hear('192.0.2.2');
    expect(seen.mended).toBe(1);
  });
});

describe('a run of datagrams of one size', () => {
  const run = Buffer.from('aabbccd');

  test('goes to the channel in one call and counts as what it holds', () => {
    const { links, channels } = linksOf([link('a')]);
    const runs: string[] = [];
    channels[0]!.sendRun = (datagrams) => {
      runs.push(Buffer.from(datagrams).toString());
      return done;
    };
    links.sendRun(run, 2);
    expect(runs).toEqual(['aabbccd']);
    expect(channels[0]!.sent).toEqual([]);
    expect(links.status()[0]).toMatchObject({ datagramsSent: 4, bytesSent: 7, sendErrors: 0 });
  });

  test('is sent one by one where the channel cannot, and where it is a single datagram', () => {
    const { links, channels } = linksOf([link('a')]);
    links.sendRun(run, 2);
    channels[0]!.sendRun = () => unreachable;
    links.sendRun(run, 2);
    channels[0]!.sendRun = () => done;
    links.sendRun(run, 7);
    expect(channels[0]!.sent).toEqual([
      ...['aa', 'bb', 'cc', 'd'],
      ...['aa', 'bb', 'cc', 'd'],
      'aabbccd',
    ]);
    expect(links.status()[0]).toMatchObject({ datagramsSent: 9, bytesSent: 21, sendErrors: 0 });
  });

  test('waits as datagrams behind a full buffer, in order', () => {
    const { links, channels } = linksOf([link('a')]);
    const channel = channels[0]!;
    channel.sendRun = () => channel.outcome;
    channel.outcome = full;
    links.sendRun(run, 2);
    links.sendRun(Buffer.from('eeff'), 2);
    channel.outcome = done;
    channel.becomeWritable();
    expect(channel.sent).toEqual(['aa', 'bb', 'cc', 'd', 'ee', 'ff']);
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
