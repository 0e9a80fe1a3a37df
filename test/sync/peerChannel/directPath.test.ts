/** The way beside a group: when it is taken and left, and whose datagrams are the peer's there. */
import type { IpAddress } from '../../../src/base/ipAddress.js';
import { addTime, milliseconds, seconds } from '../../../src/base/time.js';
import type { Channel, ChannelListener } from '../../../src/net/ports.js';
import { DirectPath } from '../../../src/sync/peerChannel/directPath.js';
import type { SyncLink } from '../../../src/sync/settings.js';
import { ip } from '../../support/vrrp/settings.js';
import { linkOf } from '../../support/sync/node.js';

const [addressA, addressB] = [ip('10.0.0.1'), ip('10.0.0.2')];
const word = new TextEncoder().encode('word');

/** One node's way, and the socket that it opened; what it sends reaches `other`. */
class End {
  readonly path: DirectPath;
  readonly links: SyncLink[] = [];
  readonly received: string[] = [];
  readonly strangers: number[] = [];
  readonly token: number;
  other: End | undefined;
  refusal: string | undefined;
  isCut = false;
  readonly #address: IpAddress;
  #listener: ChannelListener | undefined;

  constructor(clock: { now: () => ReturnType<typeof seconds> }, token: number, own: IpAddress) {
    this.token = token;
    this.#address = own;
    const group = linkOf({
      ...{ kind: 'multicast', local: token === 1 ? '10.0.0.1' : '10.0.0.2' },
      ...{ destination: '225.0.0.50', interfaceName: 'lo' },
    });
    this.path = new DirectPath(group, 3_781, {
      clock: { now: clock.now, wallClock: clock.now },
      token,
      open: (link) => {
        this.links.push(link);
        return this.refusal === undefined ? this.#socket() : { refused: this.refusal };
      },
      admits: () => true,
      received: (_link, _origin, datagram) =>
        this.received.push(new TextDecoder().decode(datagram)),
      refused: ({ port }) => this.strangers.push(port),
    });
  }

  hear(datagram: Uint8Array, from: IpAddress, port: number): void {
    if (!this.isCut) this.#listener?.(datagram, from, port, { ttl: 255 });
  }

  #socket(): Channel {
    return {
      interfaceIndex: 7,
      onDatagram: (listener) => {
        this.#listener = listener;
      },
      send: (datagram) => {
        this.other?.hear(datagram, this.#address, 600 + this.token);
        return { kind: 'done' };
      },
      close: () => {
        this.#listener = undefined;
      },
    };
  }
}

function pair() {
  const state = { now: seconds(100) };
  const clock = { now: () => state.now };
  const [a, b] = [new End(clock, 1, addressA), new End(clock, 2, addressB)];
  a.other = b;
  b.other = a;
  a.path.learn(addressB, b.token);
  b.path.learn(addressA, a.token);
  const tick = (times = 1): void => {
    for (let i = 0; i < times; i++) {
      state.now = addTime(state.now, milliseconds(100));
      a.path.tick(state.now);
      b.path.tick(state.now);
    }
  };
  return { a, b, tick, clock };
}

test('it is taken as soon as each has heard the other there', () => {
  const { a, b, tick } = pair();
  expect(a.path.send(word)).toBe(false);
  tick(5);
  expect([a.path.send(word), b.path.send(word)]).toEqual([true, true]);
  expect([a.received, b.received]).toEqual([['word'], ['word']]);
  expect(a.links).toMatchObject([{ kind: 'udp', destination: addressB, localAddress: addressA }]);
});

test('where unicast gets through in one direction only it is not taken, by neither', () => {
  const { a, b, tick } = pair();
  b.isCut = true;
  tick(50);
  expect([a.path.send(word), b.path.send(word)]).toEqual([false, false]);
  b.isCut = false;
  tick(20);
  expect([a.path.send(word), b.path.send(word)]).toEqual([true, true]);
});

test('it is left three seconds after it was cut, before the peer is taken for absent', () => {
  const { a, b, tick } = pair();
  tick(5);
  a.isCut = b.isCut = true;
  tick(20);
  expect(a.path.send(word)).toBe(true);
  tick(20);
  expect(a.path.send(word)).toBe(false);
});

test('who does not know the token, or speaks from another port, is not the peer', () => {
  const { a, b, tick } = pair();
  tick(5);
  const forged = new TextEncoder().encode('KSP1{"kind":"path","token":3,"heard":true}');
  b.hear(forged, addressA, 66);
  b.hear(word, addressA, 66);
  expect([b.received, b.strangers]).toEqual([[], [66, 66]]);
  a.path.send(word);
  expect(b.received).toEqual(['word']);
});

test('a new life of the peer says another token: nothing goes its way before it hears this node', () => {
  const { a, b, tick, clock } = pair();
  tick(5);
  const again = new End(clock, 3, addressB);
  a.path.learn(addressB, again.token);
  expect(a.path.send(word)).toBe(false);
  a.other = again;
  again.other = a;
  again.path.learn(addressA, a.token);
  for (let i = 0; i < 30; i++) {
    tick();
    again.path.tick(clock.now());
  }
  expect([a.path.send(word), again.path.send(word)]).toEqual([true, true]);
  expect([again.received, b.received]).toEqual([['word'], []]);
  expect(a.links).toHaveLength(1);
});

test('at another address another socket is opened; an older keepstate has none', () => {
  const { a, tick } = pair();
  tick();
  a.path.learn(ip('10.0.0.9'), 9);
  tick();
  expect(a.links.map(({ destination }) => destination)).toEqual([addressB, ip('10.0.0.9')]);
  a.path.learn(ip('10.0.0.9'), undefined);
  tick(30);
  expect(a.links).toHaveLength(2);
});

test('a port that is in use is named, and tried again', () => {
  const { a, b, tick } = pair();
  a.refusal = 'bind the receiver: in use';
  tick();
  expect(a.path.refused).toBe('bind the receiver: in use');
  a.refusal = undefined;
  tick(40);
  expect([a.path.refused, a.path.send(word)]).toEqual([undefined, true]);
  expect(b.received).toEqual(['word']);
});

test('without an address of the configuration it speaks from one of its interface', () => {
  const group: { -readonly [Key in keyof SyncLink]: SyncLink[Key] } = linkOf({
    ...{ kind: 'multicast', local: '::1', destination: 'ff02::50', interfaceName: 'lo' },
  });
  delete group.localAddress;
  const wanted: SyncLink[] = [];
  const path = new DirectPath(group, 3_781, {
    clock: { now: () => seconds(1), wallClock: () => seconds(1) },
    token: 1,
    open: (link) => {
      wanted.push(link);
      return { refused: 'no' };
    },
    admits: () => true,
    received: () => undefined,
    refused: () => undefined,
  });
  path.learn(ip('fd00::2'), 2);
  path.tick(seconds(1));
  expect(wanted).toMatchObject([{ localAddress: ip('::1') }]);
});

test('what was said to the life before is no stranger, for as long as a peer goes on with it', () => {
  const { a, b, tick } = pair();
  b.isCut = true;
  tick(1);
  // Its socket is open, and the peer has not shown its token there.
  const path = a.path;
  path.close();
  path.learn(addressB, 7);
  tick(1);
  a.hear(word, addressB, 602);
  expect([a.received, a.strangers]).toEqual([[], []]);
  tick(40);
  a.strangers.length = 0;
  a.hear(word, addressB, 602);
  expect([a.received, a.strangers]).toEqual([[], [602]]);
});
