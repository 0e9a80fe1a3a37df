import { parseIp } from '../../../src/base/ipAddress.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import type { AddressState } from '../../../src/net/ports.js';
import { AddressLosses, isOneNetwork } from '../../../src/vrrp/addresses/addressLosses.js';

const state = (text: string, prefixLength: number, linkIndex = 2): AddressState => ({
  linkIndex,
  address: parseIp(text)!,
  prefixLength,
  peer: undefined,
  broadcast: undefined,
  label: undefined,
  scope: 0,
  flags: 0,
  protocol: undefined,
});
const vip = { interfaceName: 'eth0', address: parseIp('10.0.0.100')!, prefixLength: 24 };
const own = state('10.0.0.1', 24);
const now = seconds(100);

function reason(losses: AddressLosses, present: AddressState[] = [], at = now): [string, boolean] {
  const { text, isOwnAddressAway } = losses.reasonFor(vip, 2, present, at);
  return [text, isOwnAddressAway];
}

test('nothing else went: somebody deleted it', () => {
  expect(reason(new AddressLosses())).toEqual(['it was deleted by somebody else', false]);
});

test('the own address of its network went too: it is waited for until it is back', () => {
  const losses = new AddressLosses();
  losses.note(own, false, now);
  const text = "the kernel deleted it with 10.0.0.1/24, the interface's own address";
  expect(reason(losses)).toEqual([text, true]);
  expect(reason(losses, [own])).toEqual([text, false]);
});

test('an address that keepstate removed is not waited for', () => {
  const losses = new AddressLosses();
  losses.note(own, true, now);
  expect(reason(losses)).toEqual([
    'the kernel deleted it with 10.0.0.1/24, which keepstate removed',
    false,
  ]);
});

test.each([
  ['of another network', state('10.0.1.1', 24)],
  ['with another prefix length', state('10.0.0.1', 25)],
  ['on another interface', state('10.0.0.1', 24, 3)],
])('an address %s has nothing to do with it', (_name, other) => {
  const losses = new AddressLosses();
  losses.note(other, false, now);
  expect(reason(losses)[0]).toBe('it was deleted by somebody else');
});

test('what went two seconds ago is forgotten', () => {
  const losses = new AddressLosses();
  losses.note(own, false, now);
  expect(reason(losses, [], microseconds(now + seconds(2)))[1]).toBe(false);
});

test('IPv6 knows no addresses that go with others', () => {
  const one = { address: parseIp('2001:db8::1')!, prefixLength: 64 };
  expect(isOneNetwork(one, { ...one, address: parseIp('2001:db8::2')! })).toBe(false);
});
