import { isAllowed } from '../../src/http/allowed.js';
import { ip } from '../support/vrrp/settings.js';

const network = (address: string, prefixLength: number) => ({
  address: ip(address),
  prefixLength,
});

test('without allow only the machine itself is answered', () => {
  const answered = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'];
  const others = ['10.0.0.1', '::2', 'fe80::1%eth0', '::ffff:10.0.0.1', '', undefined, 'x'];
  expect(answered.filter((address) => !isAllowed(address, []))).toEqual([]);
  expect(others.filter((address) => isAllowed(address, []))).toEqual([]);
});

test('networks of either family, to the bit', () => {
  const allow = [network('10.1.0.0', 23), network('2001:db8::', 33), network('192.0.2.7', 32)];
  const answered = ['10.1.0.0', '10.1.1.255', '2001:db8:7fff::1', '192.0.2.7', '::ffff:10.1.0.9'];
  const others = ['10.1.2.0', '2001:db8:8000::', '192.0.2.6', '127.0.0.1', '::1'];
  expect(answered.filter((address) => !isAllowed(address, allow))).toEqual([]);
  expect(others.filter((address) => isAllowed(address, allow))).toEqual([]);
});

test('/0 is everybody of that family', () => {
  expect(isAllowed('203.0.113.1', [network('0.0.0.0', 0)])).toBe(true);
  expect(isAllowed('2001:db8::1', [network('0.0.0.0', 0)])).toBe(false);
});
