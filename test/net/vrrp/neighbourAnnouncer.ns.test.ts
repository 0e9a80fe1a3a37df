/**
 * Frames on a cable, beside those of the captured incumbents; the peer's neighbour cache follows
 * them.
 */
import { parseIp } from '../../../src/base/ipAddress.js';
import { PacketAnnouncer, ipv6Forwarding } from '../../../src/net/vrrp/neighbourAnnouncer.js';
import { decodeGratuitousArp, decodeNeighbourAdvertisement } from '../../../src/net/vrrp/frames.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { ipv6Ready } from '../../support/net/ipv6Ready.js';

jest.setTimeout(300_000);

const virtualMac = '00:00:5e:00:01:0a';
const ipv4 = parseIp('10.5.5.100')!;
const ipv6 = parseIp('fd55::100')!;

let lab: Lab;
let gateway: Host;
let neighbour: Host;
beforeAll(async () => {
  lab = await Lab.open();
  [gateway, neighbour] = (await lab.hosts('gateway', 'neighbour')) as [Host, Host];
  await lab.link(
    { host: gateway, name: 'v0', addresses: ['10.5.5.1/24', 'fd55::1/64'], mac: virtualMac },
    { host: neighbour, name: 'v1', addresses: ['10.5.5.2/24', 'fd55::2/64'] },
  );
  await ipv6Ready(gateway, 'v0');
  await ipv6Ready(neighbour, 'v1');
}, 300_000);
const announcers: PacketAnnouncer[] = [];
afterEach(() => {
  for (const announce of announcers.splice(0)) announce.close();
});
afterAll(async () => {
  await lab.close();
});

function announcer(forwards: (name: string) => boolean): PacketAnnouncer {
  const opened = withNetworkNamespace(gateway.namespacePath, () => PacketAnnouncer.open(forwards));
  if (opened.kind === 'refused') throw new Error(String(opened.errno));
  announcers.push(opened.announcer);
  return opened.announcer;
}

test('the frames on the cable equal the captured ones, and the neighbour learns the MAC', async () => {
  const capture = await neighbour.capture('v1', {
    direction: 'in',
    filter: 'arp or (icmp6 and ip6[40] == 136)',
  });
  await neighbour.ip(
    'neigh add 10.5.5.100 lladdr 02:00:00:00:00:01 dev v1 nud stale',
    'neigh add fd55::100 lladdr 02:00:00:00:00:01 dev v1 nud stale',
  );
  let isRouter = true;
  const announce = announcer(() => isRouter);
  expect(announce.announce('v0', ipv4)).toEqual({ kind: 'done' });
  expect(announce.announce('v0', ipv6)).toEqual({ kind: 'done' });
  isRouter = false;
  expect(announce.announce('v0', ipv6)).toEqual({ kind: 'done' });
  const frames = (await capture.waitForFrames(3)).map(({ bytes }) => bytes.toString('hex'));
  expect(frames).toEqual([
    'ffffffffffff00005e00010a0806000108000604000100005e00010a0a050564ffffffffffff0a050564',
    '33330000000100005e00010a86dd6000000000203afffd550000000000000000000000000100ff02000000000000000000000000000188007ae9a0000000fd550000000000000000000000000100020100005e00010a',
    '33330000000100005e00010a86dd6000000000203afffd550000000000000000000000000100ff0200000000000000000000000000018800fae920000000fd550000000000000000000000000100020100005e00010a',
  ]);
  for (const address of ['10.5.5.100', 'fd55::100']) {
    expect(await neighbour.ip(`neigh show ${address}`)).toContain(virtualMac);
  }
});

test('the MAC and the Router flag are read when the frame is sent', async () => {
  const capture = await neighbour.capture('v1', {
    direction: 'in',
    filter: 'arp or (icmp6 and ip6[40] == 136)',
  });
  const readForwarding = (name: string): boolean =>
    withNetworkNamespace(gateway.namespacePath, () => ipv6Forwarding(name));
  const announce = announcer(readForwarding);
  await gateway.ip('link set v0 down', 'link set v0 address 02:00:00:00:00:77', 'link set v0 up');
  await gateway.sysctl({ 'net.ipv6.conf.v0.forwarding': 1 });
  expect(announce.announce('v0', ipv4)).toEqual({ kind: 'done' });
  expect(announce.announce('v0', ipv6)).toEqual({ kind: 'done' });
  await gateway.sysctl({ 'net.ipv6.conf.v0.forwarding': 0 });
  expect(announce.announce('v0', ipv6)).toEqual({ kind: 'done' });
  const bytes = (await capture.waitForFrames(3)).map((frame) => frame.bytes);
  // The kernel itself may announce its own addresses when forwarding changes.
  const arp = bytes.filter((frame) => frame.length === 42).map(decodeGratuitousArp);
  const advertised = bytes
    .filter((frame) => frame.length === 86)
    .map(decodeNeighbourAdvertisement)
    .filter(({ address }) => Buffer.compare(address.bytes, ipv6.bytes) === 0);
  expect(Buffer.from(arp[0]!.mac).toString('hex')).toBe('020000000077');
  expect(advertised.map(({ isRouter }) => isRouter)).toEqual([true, false]);
});

test('an interface that is gone, or has no neighbours, is absent; one that is down is refused', async () => {
  const announce = announcer(() => false);
  expect(announce.announce('nothere', ipv4)).toEqual({ kind: 'absent' });
  expect(announce.announce('lo', ipv4)).toEqual({ kind: 'absent' });
  await gateway.ip('link set v0 down');
  expect(announce.announce('v0', ipv4)).toMatchObject({ kind: 'refused', errno: 100 });
  await gateway.ip('link set v0 up');
  announce.close();
  expect(announce.announce('v0', ipv4)).toMatchObject({ kind: 'refused', errno: 9 });
});
