/** The replication channel between two namespaces: unicast and multicast, both families. */
import { readFileSync } from 'node:fs';
import { formatIp, parseIp } from '../../../src/base/ipAddress.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { Arrival, ChannelSpec } from '../../../src/net/ports.js';
import { UdpChannel } from '../../../src/net/channel/udpChannel.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { ipv6Ready } from '../../support/net/ipv6Ready.js';

jest.setTimeout(300_000);

let lab: Lab;
let left: Host;
let right: Host;
const channels: UdpChannel[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  [left, right] = (await lab.hosts('left', 'right')) as [Host, Host];
  await lab.link(
    { host: left, name: 'sync0', addresses: ['10.9.0.1/24', 'fd09::1/64', 'fe80::1/64'] },
    { host: right, name: 'sync0', addresses: ['10.9.0.2/24', 'fd09::2/64', 'fe80::2/64'] },
  );
  await lab.link(
    { host: left, name: 'other', addresses: ['10.10.0.1/24'] },
    { host: right, name: 'other', addresses: ['10.10.0.2/24'] },
  );
  await ipv6Ready(left, 'sync0');
  await ipv6Ready(right, 'sync0');
}, 300_000);
afterEach(() => {
  for (const channel of channels.splice(0)) channel.close();
});
afterAll(async () => {
  await lab.close();
});

function open(
  host: Host,
  spec: Partial<ChannelSpec> & { destination: ChannelSpec['destination'] },
) {
  const opened = withNetworkNamespace(host.namespacePath, () =>
    UdpChannel.open({
      kind: 'udp',
      family: spec.destination.family,
      interfaceName: 'sync0',
      port: 3780,
      checksum: true,
      ...spec,
    }),
  );
  if (opened.kind === 'refused') throw new Error(`${opened.operation}: ${JSON.stringify(opened)}`);
  channels.push(opened.channel);
  return opened.channel;
}

interface Heard {
  readonly text: string;
  readonly from: string;
}

function listen(channel: UdpChannel): Heard[] {
  const heard: Heard[] = [];
  channel.onDatagram((datagram, source) => {
    heard.push({ text: Buffer.from(datagram).toString(), from: formatIp(source) });
  });
  return heard;
}

function arrivalsAt(channel: UdpChannel): (Arrival | undefined)[] {
  const arrivals: (Arrival | undefined)[] = [];
  channel.onDatagram((_datagram, _source, _port, arrival) => {
    arrivals.push(arrival);
  });
  return arrivals;
}

const ip = (text: string): ChannelSpec['destination'] => parseIp(text)!;
const group4 = ip('225.0.0.50');

describe('a run of datagrams', () => {
  const run = Buffer.from(['first.', 'second', 'third.', 'end'].join(''));
  const datagrams = ['first.', 'second', 'third.', 'end'];

  test.each([
    ['10.9.0.1', '10.9.0.2'],
    ['fd09::1', 'fd09::2'],
  ])('from %s arrives as the datagrams that it holds', async (a, b) => {
    const one = open(left, { localAddress: ip(a), destination: ip(b) });
    const heard = listen(open(right, { localAddress: ip(b), destination: ip(a) }));
    expect(one.sendRun(run, 6)).toEqual({ kind: 'done' });
    await waitFor(() => heard.length >= datagrams.length);
    expect(heard.map(({ text }) => text)).toEqual(datagrams);
    expect(one.counters()).toMatchObject({ sent: 4, sendErrors: 0 });
  });

  test('arrives at each member of a group', async () => {
    const one = open(left, {
      kind: 'multicast',
      destination: group4,
      localAddress: ip('10.9.0.1'),
    });
    const heard = listen(open(right, { kind: 'multicast', destination: group4 }));
    expect(one.sendRun(run, 6)).toEqual({ kind: 'done' });
    await waitFor(() => heard.length >= datagrams.length);
    expect(heard.map(({ text }) => text)).toEqual(datagrams);
  });

  test('is refused without checksums, then and from then on; each by itself goes', async () => {
    const one = open(left, {
      localAddress: ip('10.9.0.1'),
      destination: ip('10.9.0.2'),
      checksum: false,
    });
    const heard = listen(
      open(right, { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') }),
    );
    expect(one.sendRun(run, 6)).toMatchObject({ kind: 'refused' });
    expect(one.sendRun(run, 6)).toMatchObject({ kind: 'refused' });
    for (const datagram of datagrams)
      expect(one.send(Buffer.from(datagram))).toEqual({ kind: 'done' });
    await waitFor(() => heard.length >= datagrams.length);
    expect(heard.map(({ text }) => text)).toEqual(datagrams);
  });
});

test.each([
  ['10.9.0.1', '10.9.0.2'],
  ['fd09::1', 'fd09::2'],
])('from a port below 1024 where that is asked for: %s', async (a, b) => {
  const ports: number[] = [];
  const receiver = open(right, { localAddress: ip(b), destination: ip(a) });
  receiver.onDatagram((_datagram, _source, port) => ports.push(port));
  const spec = { localAddress: ip(a), destination: ip(b) };
  open(left, { ...spec, port: 3_781, fromPrivilegedPort: true }).close();
  const one = open(left, { ...spec, fromPrivilegedPort: true });
  one.send(Buffer.from('x'));
  await waitFor(() => ports.length > 0);
  expect(ports[0]).toBeGreaterThanOrEqual(512);
  expect(ports[0]).toBeLessThan(1_024);
});

test('a datagram that is longer than any link carries is dropped and counted', async () => {
  const one = open(left, { localAddress: ip('10.9.0.1'), destination: ip('10.9.0.2') });
  const two = open(right, { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') });
  const heard = listen(two);
  expect(one.send(Buffer.alloc(20_000))).toEqual({ kind: 'done' });
  expect(one.send(Buffer.from('behind'))).toEqual({ kind: 'done' });
  await waitFor(() => heard.length > 0);
  expect(heard.map(({ text }) => text)).toEqual(['behind']);
  expect(two.counters()).toMatchObject({ received: 1, truncated: 1 });
  expect(two.receiveErrors).toBe(1);
});

test.each([
  ['10.9.0.1', '10.9.0.2'],
  ['fd09::1', 'fd09::2'],
  ['fe80::1', 'fe80::2'],
])('unicast %s and %s talk both ways', async (a, b) => {
  const one = open(left, { localAddress: ip(a), destination: ip(b) });
  const two = open(right, { localAddress: ip(b), destination: ip(a) });
  const atOne = listen(one);
  const atTwo = listen(two);
  expect(one.mtu).toBe(1500);
  expect(one.send(Buffer.from('to two'))).toEqual({ kind: 'done' });
  expect(two.send(Buffer.from('to one'))).toEqual({ kind: 'done' });
  await waitFor(() => atOne.length === 1 && atTwo.length === 1);
  expect(atTwo).toEqual([{ text: 'to two', from: a }]);
  expect(atOne).toEqual([{ text: 'to one', from: b }]);
  expect(two.counters()).toMatchObject({ received: 1, sent: 1, sendErrors: 0 });
});

test.each(['225.0.0.50', 'ff15::5'])(
  'multicast %s reaches the peer with TTL 1 and not the sender',
  async (group) => {
    const capture = await right.capture('sync0', { filter: 'udp port 3780' });
    const one = open(left, { kind: 'multicast', destination: ip(group) });
    const two = open(right, { kind: 'multicast', destination: ip(group) });
    const atOne = listen(one);
    const atTwo = listen(two);
    expect(one.send(Buffer.from('hello'))).toEqual({ kind: 'done' });
    await waitFor(() => atTwo.length === 1);
    expect(atOne).toEqual([]);
    const [frame] = await capture.waitForFrames(1);
    expect(frame!.bytes[group.includes(':') ? 14 + 7 : 14 + 8]).toBe(1);
  },
);

test('multicast is taken only from the interface that was joined', async () => {
  const strange = open(left, {
    kind: 'multicast',
    interfaceName: 'other',
    destination: group4,
  });
  const expected = open(left, { kind: 'multicast', destination: group4 });
  // The other interface joined the group too, on a socket of its own.
  const receiver = open(right, { kind: 'multicast', destination: group4 });
  const neighbour = open(right, { kind: 'multicast', interfaceName: 'other', destination: group4 });
  const heard = listen(receiver);
  const heardByNeighbour = listen(neighbour);
  strange.send(Buffer.from('strange'));
  expected.send(Buffer.from('expected'));
  await waitFor(() => heard.length >= 1 && heardByNeighbour.length >= 1);
  expect(heard.map(({ text }) => text)).toEqual(['expected']);
  expect(heardByNeighbour.map(({ text }) => text)).toEqual(['strange']);
});

test('without checksum the datagram carries zero, with it the right one', async () => {
  const capture = await right.capture('sync0', { filter: 'udp port 3780', direction: 'in' });
  // Offloading would leave the checksum to a card that does not exist.
  await left.exec(['ethtool', '-K', 'sync0', 'tx', 'off']).catch(() => undefined);
  const addresses = { localAddress: ip('10.9.0.1'), destination: ip('10.9.0.2') };
  open(left, { ...addresses, checksum: false }).send(Buffer.from('x'));
  channels.pop()?.close();
  open(left, { ...addresses, checksum: true }).send(Buffer.from('x'));
  const frames = await capture.waitForFrames(2);
  const checksums = frames.map(({ bytes }) => bytes.readUInt16BE(14 + 20 + 6));
  expect(checksums[0]).toBe(0);
  expect(checksums[1]).not.toBe(0);
});

test('buffer sizes go beyond the system limit, and the kernel doubles them', async () => {
  const limit = Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
  const bytes = 2 * limit;
  open(left, {
    localAddress: ip('10.9.0.1'),
    destination: ip('10.9.0.2'),
    receiveBufferBytes: bytes,
    sendBufferBytes: bytes,
  });
  const sockets = await left.exec(['ss', '-uanm']);
  expect(sockets).toContain(`rb${2 * bytes}`);
  expect(sockets).toContain(`tb${2 * bytes}`);
});

test.each([
  ['10.9.0.1', '10.9.0.2'],
  ['fd09::1', 'fd09::2'],
  ['fe80::1', 'fe80::2'],
])(
  'from %s to %s datagrams leave with TTL 255, and tell that they arrived with it',
  async (a, b) => {
    const one = open(left, { localAddress: ip(a), destination: ip(b) });
    const arrivals = arrivalsAt(open(right, { localAddress: ip(b), destination: ip(a) }));
    one.send(Buffer.from('x'));
    await waitFor(() => arrivals.length === 1);
    expect(arrivals).toEqual([{ ttl: 255 }]);
  },
);

test.each([
  ['224.0.0.50', 255],
  ['225.0.0.50', 1],
  ['ff02::50', 255],
  ['ff15::50', 1],
])('to the group %s they leave with TTL %d', async (group, ttl) => {
  const one = open(left, { kind: 'multicast', destination: ip(group) });
  const arrivals = arrivalsAt(open(right, { kind: 'multicast', destination: ip(group) }));
  one.send(Buffer.from('x'));
  await waitFor(() => arrivals.length === 1);
  expect(arrivals).toEqual([{ ttl }]);
});

test('what enters by another device is delivered with the name of the device', async () => {
  const addresses = { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') };
  const arrivals = arrivalsAt(open(right, addresses));
  // The weak host model delivers 10.9.0.2 by any interface.
  await left.ip('route add 10.9.0.2/32 via 10.10.0.2 dev other');
  const sender = open(left, { destination: ip('10.9.0.2') });
  sender.send(Buffer.from('strange'));
  await left.ip('route del 10.9.0.2/32');
  sender.send(Buffer.from('expected'));
  await waitFor(() => arrivals.length === 2);
  expect(arrivals).toEqual([{ ttl: 255, strangeDevice: 'other' }, { ttl: 255 }]);
});

describe('the port', () => {
  const addresses = { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') };
  // SO_REUSEADDR, and a line of output once it is bound; any user of the machine may do that.
  const thief = (address: string): string[] => [
    ...['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'],
    ...[process.execPath, '-e'],
    `const s = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
     s.on('error', (error) => { console.log(error.code); process.exit(0); });
     s.bind(3780, '${address}', () => console.log('bound'));`,
  ];

  test.each(['0.0.0.0', '10.9.0.2'])(
    'nobody else binds it on %s beside the channel',
    async (at) => {
      open(right, addresses);
      expect(await right.exec(thief(at))).toBe('EADDRINUSE\n');
    },
  );

  test('nobody else binds the port of a group either', async () => {
    open(right, { kind: 'multicast', destination: group4 });
    expect(await right.exec(thief('0.0.0.0'))).toBe('EADDRINUSE\n');
    expect(await right.exec(thief('225.0.0.50'))).toBe('EADDRINUSE\n');
  });

  test('who has it already is named, and the channel opens as soon as that one is gone', async () => {
    const process = right.start(thief('0.0.0.0'));
    await process.waitForOutput('bound');
    const attempt = (): ReturnType<typeof UdpChannel.open> =>
      withNetworkNamespace(right.namespacePath, () =>
        UdpChannel.open({
          ...addresses,
          ...{ kind: 'udp', family: 4, interfaceName: 'sync0', port: 3780, checksum: true },
        }),
      );
    expect(attempt()).toMatchObject({
      kind: 'refused',
      operation: 'bind the receiver',
      owner: expect.stringMatching(/^\w+ \(pid \d+, uid 65534\)$/) as string,
    });
    await process.kill();
    const opened = attempt();
    expect(opened.kind).toBe('open');
    if (opened.kind === 'open') channels.push(opened.channel);
  });

  test('a channel that was closed can be opened again at once', () => {
    for (let i = 0; i < 10; i++) {
      open(right, addresses);
      channels.pop()?.close();
    }
    expect(open(right, addresses).mtu).toBe(1500);
  });
});

test('bound to its interface, a channel does not take what enters by another', async () => {
  const addresses = { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') };
  const bound = open(right, { ...addresses, bindToInterface: true });
  const heard = listen(bound);
  // The weak host model delivers 10.9.0.2 by any interface.
  await left.ip('route add 10.9.0.2/32 via 10.10.0.2 dev other');
  const strange = open(left, { destination: ip('10.9.0.2') });
  strange.send(Buffer.from('strange'));
  await left.ip('route del 10.9.0.2/32');
  strange.send(Buffer.from('expected'));
  await waitFor(() => heard.length >= 1);
  expect(heard.map(({ text }) => text)).toEqual(['expected']);
});

test('a paused channel leaves datagrams in the kernel and delivers them when resumed', async () => {
  const one = open(left, { localAddress: ip('10.9.0.1'), destination: ip('10.9.0.2') });
  const two = open(right, { localAddress: ip('10.9.0.2'), destination: ip('10.9.0.1') });
  const heard = listen(two);
  two.pause();
  for (const text of ['a', 'b', 'c']) one.send(Buffer.from(text));
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([]);
  two.resume();
  await waitFor(() => heard.length === 3);
  expect(heard.map(({ text }) => text).join('')).toBe('abc');
});

test('on a slow link sending is refused until there is room, and then goes on', async () => {
  await left.exec('tc qdisc add dev sync0 root tbf rate 20mbit burst 8kb limit 10mb'.split(' '));
  const channel = open(left, { localAddress: ip('10.9.0.1'), destination: ip('10.9.0.2') });
  let outcome = channel.send(new Uint8Array(1400));
  for (let i = 0; i < 10_000 && outcome.kind === 'done'; i++) {
    outcome = channel.send(new Uint8Array(1400));
  }
  expect(outcome).toMatchObject({ kind: 'refused', errno: 11 });
  let hasRoom = false;
  channel.onceWritable(() => (hasRoom = true));
  await waitFor(() => hasRoom);
  expect(channel.send(new Uint8Array(1400))).toEqual({ kind: 'done' });
  await left.exec('tc qdisc del dev sync0 root'.split(' '));
});

test('a refusal names the operation', () => {
  const attempt = (spec: Partial<ChannelSpec>): unknown =>
    withNetworkNamespace(left.namespacePath, () =>
      UdpChannel.open({
        kind: 'udp',
        family: 4,
        interfaceName: 'sync0',
        destination: ip('10.9.0.2'),
        port: 3780,
        checksum: true,
        ...spec,
      }),
    );
  expect(attempt({ interfaceName: 'gone' })).toMatchObject({
    kind: 'refused',
    operation: 'interface gone',
    outcome: { errno: 19 },
  });
  expect(attempt({ localAddress: ip('192.0.2.1') })).toMatchObject({
    kind: 'refused',
    operation: 'bind the sender',
    outcome: { errno: 99 },
  });
});

test('a sending error is an outcome and is counted', async () => {
  const channel = open(left, { localAddress: ip('10.9.0.1'), destination: ip('10.9.0.2') });
  expect(channel.send(new Uint8Array(70_000))).toMatchObject({ kind: 'refused', errno: 90 });
  await left.ip('link set sync0 down');
  expect(channel.send(new Uint8Array(1)).kind).toBe('refused');
  expect(channel.counters().sendErrors).toBe(2);
  await left.ip('link set sync0 up');
  channel.close();
  expect(channel.send(new Uint8Array(1))).toMatchObject({ kind: 'refused', errno: 9 });
});
