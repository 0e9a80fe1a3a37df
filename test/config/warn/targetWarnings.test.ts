/** `vrrp_track_target`: what is read, refused, and warned about. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { seconds } from '../../../src/base/time.js';
import { instanceText, load, placesOf } from '../loading.js';

const target = (lines: string): string => `vrrp_track_target WAN {\n${lines}\n}`;
const tracked = (lines: string, weight = ''): ReturnType<typeof load> =>
  load(instanceText(`track_target {\n  WAN${weight}\n}`, target(lines)));

describe('a vrrp_track_target', () => {
  test('has defaults that a lossy path bears', () => {
    const result = tracked('icmp 198.51.100.1');
    expect(placesOf(result)).toEqual([]);
    expect(result.settings?.vrrp.targets).toEqual([
      {
        name: 'WAN',
        addresses: [{ kind: 'icmp', address: parseIp('198.51.100.1') }],
        required: 1,
        interval: seconds(1),
        timeout: seconds(1),
        rise: 10,
        fall: 5,
        size: 56,
        weight: 0,
        isReversed: false,
      },
    ]);
    expect(result.settings?.vrrp.instances[0]?.tracking.targets).toEqual([
      { name: 'WAN', weight: 0, isReversed: false },
    ]);
  });

  test('says how it is asked', () => {
    const lines =
      'icmp 198.51.100.1\narp 192.0.2.9\ntcp 198.51.100.2 443\nsource 192.0.2.8\ninterface eth0\n' +
      'interval 0.2\ntimeout 0.1\nfall 3\nrise 4\nsize 100\nttl 9\nat_least 2\nweight -20';
    const result = tracked(lines, ' weight -30');
    expect(placesOf(result)).toEqual([]);
    expect(result.settings?.vrrp.targets?.[0]).toMatchObject({
      addresses: [{ kind: 'icmp' }, { kind: 'arp' }, { kind: 'tcp', port: 443 }],
      required: 2,
      interfaceName: 'eth0',
      interval: 200_000,
      timeout: 100_000,
      ttl: 9,
      weight: -20,
    });
    expect(result.settings?.vrrp.instances[0]?.tracking.targets).toEqual([
      { name: 'WAN', weight: -30, isReversed: false },
    ]);
  });

  test('all of its addresses are required with all', () => {
    const result = tracked('icmp 198.51.100.1\nicmp 198.51.100.2\nicmp6 2001:db8::1\nall');
    expect(result.settings?.vrrp.targets?.[0]?.required).toBe(3);
  });

  test.each([
    ['no address', 'interval 1', 'error missing-keyword 12:1'],
    ['an IPv6 address for icmp', 'icmp 2001:db8::1', 'error bad-value 13:6'],
    ['ARP without an interface', 'arp 192.0.2.9', 'error missing-keyword 13:1'],
    ['link-local without an interface', 'icmp6 fe80::1', 'error missing-keyword 13:1'],
    ['a group', 'icmp 224.0.0.18', 'error bad-address 13:1'],
    ['a port that is none', 'tcp 198.51.100.1 0', 'error bad-value 13:18'],
    ['an interval that is too short', 'icmp 198.51.100.1\ninterval 0.05', 'error bad-value 14:10'],
    ['any beside all', 'icmp 198.51.100.1\nany\nall', 'error contradiction 15:1'],
    ['more than there are', 'icmp 198.51.100.1\nat_least 2', 'error out-of-range 14:1'],
    [
      'a source of the other family',
      'icmp 198.51.100.1\nsource 2001:db8::2',
      'error bad-address 14:1',
    ],
    [
      'nine addresses',
      Array.from({ length: 9 }, (_, i) => `icmp 198.51.100.${i + 1}`).join('\n'),
      'error out-of-range 21:1',
    ],
  ])('is refused: %s', (_name, lines, expected) => {
    expect(placesOf(tracked(lines))).toEqual([expected]);
  });

  test('that nothing tracks is named, as is one that does not exist', () => {
    const unused = load(instanceText('', target('icmp 198.51.100.1')));
    expect(placesOf(unused)).toEqual(['warning unused 9:1']);
    expect(placesOf(load(instanceText('track_target {\n  LAN\n}')))).toEqual([
      'error missing-reference 9:7',
    ]);
  });

  test('with a weight beside nopreempt is named', () => {
    const result = load(
      instanceText('nopreempt\ntrack_target {\n  WAN weight -9\n}', target('icmp 198.51.100.1')),
    );
    expect(placesOf(result)).toEqual(['warning weight-beside-nopreempt 10:7']);
  });
});

describe('a target that tells nothing', () => {
  const sync =
    'Sync {\n Mode FTFW { }\n UDP {\n  IPv4_address 10.9.0.1\n  IPv4_Destination_Address 10.9.0.2\n  Port 3780\n  Interface eth1\n }\n}\n' +
    'General {\n Filter {\n  Address Ignore {\n   IPv4_address 10.9.0.0/30\n   IPv4_address 192.0.2.0/24\n  }\n }\n}\nglobal_defs {\n}';
  const warned = (lines: string): readonly string[] =>
    placesOf(load(instanceText('track_target {\n  WAN\n}', `${target(lines)}\n${sync}`)));

  test.each([
    ['the own address', 'icmp 10.9.0.1', 'target-own-address 13:1'],
    ['a virtual address', 'icmp 192.0.2.1', 'target-virtual-address 13:1'],
    ['the other node', 'tcp 10.9.0.2 22', 'target-is-peer 13:1'],
    [
      'an address on another interface',
      'icmp 192.0.2.77\ninterface eth7',
      'target-beyond-interface 13:1',
    ],
    [
      'a neighbour that is none',
      'arp 198.51.100.1\ninterface eth0',
      'target-beyond-interface 13:1',
    ],
    ['from a virtual address', 'icmp 198.51.100.1\nsource 192.0.2.1', 'target-virtual-source 14:1'],
  ])('%s', (_name, lines, expected) => {
    expect(warned(lines)).toEqual([`warning ${expected}`]);
  });

  test('an address behind the gateway is right, by either interface', () => {
    expect(warned('icmp 198.51.100.1\ninterface eth0')).toEqual([]);
    expect(warned('icmp 192.0.2.77\ninterface eth0')).toEqual([]);
    expect(warned('arp 192.0.2.77\ninterface eth0')).toEqual([]);
  });
});
