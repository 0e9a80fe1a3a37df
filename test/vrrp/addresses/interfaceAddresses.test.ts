import type { AddressState, LinkState } from '../../../src/net/ports.js';
import {
  chooseSource,
  isPresent,
  keepalivedProtocol,
  movingAddresses,
  presenceIn,
  whereNow,
  type KernelView,
} from '../../../src/vrrp/addresses/interfaceAddresses.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip, vip } from '../../support/vrrp/settings.js';

const link = (index: number, name: string): LinkState => ({
  index,
  name,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  mtu: 1500,
  isUp: true,
  isRunning: true,
  isLoopback: false,
  carrierDownCount: 0,
});
const address = (text: string, change: Partial<AddressState> = {}): AddressState => ({
  linkIndex: 2,
  address: ip(text),
  prefixLength: 24,
  peer: undefined,
  broadcast: undefined,
  label: undefined,
  scope: 0,
  flags: 0,
  protocol: undefined,
  ...change,
});
const kernel = (...addresses: AddressState[]): KernelView => ({
  links: [link(2, 'eth0'), link(3, 'eth1')],
  addresses,
});
const secondary = { flags: 1 };

describe('the source of adverts', () => {
  const instance = instanceSettings({ virtualAddresses: [vip('10.0.0.100')] });

  test('is the first primary address of the interface that is no VIP', () => {
    const seen = kernel(
      ...[address('10.0.0.7', { linkIndex: 3 }), address('10.0.0.100')],
      ...[address('10.0.0.5', secondary), address('10.0.0.1')],
    );
    expect(chooseSource(instance, seen)).toEqual(ip('10.0.0.1'));
  });

  test('is the VIP itself for its owner', () => {
    const owner = instanceSettings({ priority: 255, virtualAddresses: [vip('10.0.0.100')] });
    expect(chooseSource(owner, kernel(address('10.0.0.100')))).toEqual(ip('10.0.0.100'));
    expect(chooseSource(instance, kernel(address('10.0.0.100')))).toEqual({
      missing: 'no IPv4 address on eth0',
    });
  });

  test('over IPv6 is a link-local address that the kernel has checked', () => {
    const six = instanceSettings({ family: 6, version: 3 });
    const local = { scope: 253, prefixLength: 64 };
    const [tentative, failed] = [0x40, 0x08].map((flags) => ({ ...local, flags }));
    const unusable = [
      address('2001:db8::1', { prefixLength: 64 }),
      ...[address('fe80::1', tentative), address('fe80::2', failed)],
    ];
    expect(chooseSource(six, kernel(...unusable))).toHaveProperty('missing');
    expect(chooseSource(six, kernel(...unusable, address('fe80::3', local)))).toEqual(
      ip('fe80::3'),
    );
  });

  test('that is configured must be there for unicast, and need not for multicast', () => {
    const sourceAddress = ip('10.0.0.1');
    const unicast = { sourceAddress, unicastPeers: [{ address: ip('10.0.0.2') }] };
    expect(chooseSource(instanceSettings({ sourceAddress }), kernel())).toEqual(sourceAddress);
    expect(chooseSource(instanceSettings(unicast), kernel())).toEqual({
      missing: 'source address 10.0.0.1 is not configured',
    });
  });
});

test('a VIP is present with its interface and prefix length; both ways of asking agree', () => {
  const seen = kernel(address('10.0.0.100'), address('10.0.0.101', { prefixLength: 32 }));
  const fast = presenceIn(seen);
  for (const [text, interfaceName, expected] of [
    ['10.0.0.100', 'eth0', true],
    ['10.0.0.100', 'eth1', false],
    ['10.0.0.101', 'eth0', false],
    ['10.0.0.102', 'eth0', false],
  ] as const) {
    const spec = { ...vip(text).spec, interfaceName };
    expect([isPresent(spec, seen), fast(spec)]).toEqual([expected, expected]);
  }
});

test('an address of ours is found where its interface was renamed, by its mark', () => {
  const { spec } = vip('10.0.0.100');
  const renamed = (protocol: number | undefined): KernelView => ({
    links: [link(2, 'other')],
    addresses: [address('10.0.0.100', { protocol })],
  });
  expect(whereNow(spec, renamed(keepalivedProtocol)).interfaceName).toBe('other');
  expect(whereNow(spec, renamed(undefined))).toBe(spec);
  expect(whereNow(spec, kernel(address('10.0.0.100')))).toBe(spec);
});

test('what moves with a role are VIPs and excluded VIPs of all instances, in their order', () => {
  const vrrp = vrrpSettings([
    instanceSettings({
      virtualAddresses: [vip('10.0.0.100')],
      excludedAddresses: [vip('10.0.0.101')],
    }),
    instanceSettings({ name: 'B', virtualAddresses: [vip('10.0.0.102')] }),
  ]);
  expect(movingAddresses(vrrp).map((spec) => spec.address)).toEqual(
    ['10.0.0.100', '10.0.0.101', '10.0.0.102'].map(ip),
  );
});
