import { formatIp, parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { VrrpDatagram, VrrpSocket, VrrpSocketSpec } from '../../../src/net/ports.js';
import { RawVrrpSockets } from '../../../src/net/vrrp/vrrpSocket.js';
import type { Host } from '../../lab/host.js';
import { Keepalived } from '../../lab/keepalived.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';

jest.setTimeout(300_000);

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** Origin: adverts that keepalived 2.2.7 sends (VRRPv2 without and with password, VRRPv3). */
const v2 = Buffer.from('213364010001ba26c0a8fffa0000000000000000', 'hex');
const v2Password = Buffer.from('2134c8020102321ac0a8fffbc0a8fffc3131313100000000', 'hex');
const v3Unicast = Buffer.from('31386801006447ab0a000038', 'hex');
const v3Ipv6 = Buffer.from(
  '313767020064' + '0000' + 'fe800000000000000000000000000055fd000000000000000000000000000055',
  'hex',
);

const group4 = ip('224.0.0.18');
const group6 = ip('ff02::12');

describe('VRRP sockets', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  const open: VrrpSocket[] = [];

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    await lab.link(
      { host: a, name: 'eth0', addresses: ['192.168.255.11/24', '10.0.0.1/24', 'fe80::a/64'] },
      { host: b, name: 'eth0', addresses: ['192.168.255.12/24', '10.0.0.2/24', 'fe80::b/64'] },
    );
  });

  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });

  afterAll(async () => {
    await lab.close();
  });

  function openAt(
    host: Host,
    spec: VrrpSocketSpec,
  ): { socket: VrrpSocket; received: VrrpDatagram[] } {
    const result = withNetworkNamespace(host.namespacePath, () => new RawVrrpSockets().open(spec));
    if ('refused' in result) throw new Error(JSON.stringify(result.refused));
    const received: VrrpDatagram[] = [];
    result.socket.onDatagram((datagram) => received.push(datagram));
    open.push(result.socket);
    return { socket: result.socket, received };
  }

  const multicast4: VrrpSocketSpec = { family: 4, interfaceName: 'eth0', multicastGroup: group4 };
  const multicast6: VrrpSocketSpec = { family: 6, interfaceName: 'eth0', multicastGroup: group6 };

  test('multicast adverts are on the wire byte for byte as keepalived sends them', async () => {
    const sender = openAt(a, multicast4);
    const receiver = openAt(b, multicast4);
    const capture = await b.capture('eth0', { filter: 'ip proto 112', direction: 'in' });
    const advert = { source: ip('192.168.255.11'), destination: group4, ttl: 255 };
    expect(sender.socket.send({ ...advert, identification: 1, payload: v2 })).toEqual({
      kind: 'done',
    });
    sender.socket.send({ ...advert, identification: 1, payload: v2Password });
    const frames = await capture.waitForFrames(2);
    const packets = frames.map((frame) => frame.bytes.subarray(14).toString('hex'));
    expect(packets).toEqual([
      `45c0002800010000ff701adec0a8ff0be0000012${v2.toString('hex')}`,
      `45c0002c00010000ff701adac0a8ff0be0000012${v2Password.toString('hex')}`,
    ]);
    expect(frames[0]?.bytes.subarray(0, 6).toString('hex')).toBe('01005e000012');
    await waitFor(() => receiver.received.length === 2);
    expect(receiver.received[0]).toEqual({
      source: ip('192.168.255.11'),
      destination: group4,
      ttl: 255,
      totalLength: 40,
      payload: Uint8Array.from(v2),
    });
    expect(sender.received).toEqual([]);
  });

  test('a unicast advert has its source, its TTL and reaches only the socket of its address', async () => {
    const unicast = (host: Host, local: string): ReturnType<typeof openAt> =>
      openAt(host, { family: 4, interfaceName: 'eth0', localAddress: ip(local) });
    const sender = unicast(a, '10.0.0.1');
    const receiver = unicast(b, '10.0.0.2');
    const other = unicast(b, '192.168.255.12');
    const group = openAt(b, multicast4);
    const capture = await b.capture('eth0', { filter: 'ip proto 112', direction: 'in' });
    sender.socket.send({
      source: ip('10.0.0.1'),
      destination: ip('10.0.0.2'),
      identification: 1,
      ttl: 255,
      payload: v3Unicast,
    });
    await waitFor(() => receiver.received.length === 1);
    const [frame] = await capture.waitForFrames(1);
    expect(frame?.bytes.subarray(14).toString('hex')).toBe(
      `45c0002000010000ff70a6aa0a0000010a000002${v3Unicast.toString('hex')}`,
    );
    sender.socket.send({
      source: ip('10.0.0.1'),
      destination: ip('10.0.0.2'),
      identification: 2,
      ttl: 3,
      payload: v3Unicast,
    });
    await waitFor(() => receiver.received.length === 2);
    expect(receiver.received[1]?.ttl).toBe(3);
    expect(other.received).toEqual([]);
    expect(group.received).toEqual([]);
  });

  test('an IPv6 advert has class, hop limit and checksum as keepalived’s, and both are told', async () => {
    const sender = openAt(a, multicast6);
    const receiver = openAt(b, multicast6);
    const capture = await b.capture('eth0', { filter: 'ip6 proto 112', direction: 'in' });
    expect(
      sender.socket.send({
        source: ip('fe80::a'),
        destination: group6,
        identification: 1,
        ttl: 255,
        payload: v3Ipv6,
      }),
    ).toEqual({ kind: 'done' });
    await waitFor(() => receiver.received.length === 1);
    const [frame] = await capture.waitForFrames(1);
    expect(frame?.bytes.subarray(0, 6).toString('hex')).toBe('333300000012');
    expect(frame?.bytes.subarray(14, 54).toString('hex')).toBe(
      '6c000000002870ff' + 'fe80000000000000000000000000000a' + 'ff020000000000000000000000000012',
    );
    expect(receiver.received[0]).toMatchObject({ ttl: 255, totalLength: undefined });
    expect(formatIp(receiver.received[0]?.source ?? group6)).toBe('fe80::a');
    expect(formatIp(receiver.received[0]?.destination ?? group4)).toBe('ff02::12');
    await capture.stop();
    const [row] = await capture.fields(['vrrp.checksum.status', 'vrrp.virt_rtr_id', 'vrrp.prio']);
    expect(row).toEqual(['1', '55', '103']);
  });

  test('drain delivers what waits in the kernel before it returns', async () => {
    const sender = openAt(a, multicast4);
    const receiver = openAt(b, multicast4);
    for (let i = 1; i <= 40; i++) {
      sender.socket.send({
        source: ip('192.168.255.11'),
        destination: group4,
        identification: i,
        ttl: 255,
        payload: v2,
      });
    }
    // A veth delivers within the send call, so all 40 wait; no event loop turn has passed since.
    receiver.socket.drain();
    const drained = receiver.received.length;
    await waitFor(() => receiver.received.length === 40);
    expect(drained).toBeGreaterThan(0);
    expect(
      new Set(receiver.received.map((one) => Buffer.from(one.payload).toString('hex'))).size,
    ).toBe(1);
  });

  test('an interface that does not exist is a refusal, and so is a mix of families', () => {
    const result = withNetworkNamespace(a.namespacePath, () =>
      new RawVrrpSockets().open({ ...multicast4, interfaceName: 'nope' }),
    );
    expect(result).toMatchObject({ refused: { kind: 'refused' } });
    const { socket } = openAt(a, multicast4);
    expect(
      socket.send({
        source: ip('fe80::a'),
        destination: group6,
        identification: 1,
        ttl: 255,
        payload: v2,
      }),
    ).toMatchObject({ kind: 'refused' });
  });

  test('a local address that is not there yet can be listened to', async () => {
    const early = openAt(b, { family: 4, interfaceName: 'eth0', localAddress: ip('10.0.0.99') });
    await b.ip('address add 10.0.0.99/24 dev eth0');
    const sender = openAt(a, { family: 4, interfaceName: 'eth0', localAddress: ip('10.0.0.1') });
    await waitFor(() => {
      sender.socket.send({
        source: ip('10.0.0.1'),
        destination: ip('10.0.0.99'),
        identification: 1,
        ttl: 255,
        payload: v3Unicast,
      });
      return early.received.length > 0;
    });
  });

  test('a link that goes down and comes back does not end receiving', async () => {
    const receiver = openAt(b, multicast4);
    const sender = openAt(a, multicast4);
    await b.ip('link set eth0 down');
    await b.ip('link set eth0 up');
    await waitFor(() => {
      sender.socket.send({
        source: ip('192.168.255.11'),
        destination: group4,
        identification: 1,
        ttl: 255,
        payload: v2,
      });
      return receiver.received.length > 0;
    });
  });

  test('a real keepalived is heard, and the socket survives closing inside its listener', async () => {
    const receiver = openAt(b, multicast4);
    receiver.socket.onDatagram((datagram) => {
      receiver.received.push(datagram);
      receiver.socket.close();
    });
    const keepalived = await Keepalived.start(
      a,
      `vrrp_instance I {
         state MASTER
         interface eth0
         virtual_router_id 51
         priority 100
         advert_int 1
         virtual_ipaddress { 192.168.255.250/32 }
       }`,
    );
    await waitFor(() => receiver.received.length > 0);
    expect(receiver.received[0]).toMatchObject({ ttl: 255, totalLength: 40 });
    expect(Buffer.from(receiver.received[0]?.payload ?? []).toString('hex')).toBe(
      v2.toString('hex'),
    );
    await keepalived.stop();
  });
});
