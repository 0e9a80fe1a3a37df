import { formatIp, inPrefix, parseIp, compareIp } from '../../src/base/ipAddress.js';

const formatted = (text: string): string | undefined => {
  const address = parseIp(text);
  return address === undefined ? undefined : formatIp(address);
};

describe('IP address text', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::1.2.3.4', '::1.2.3.4'],
    ['2001:db8::1.2.3.4', '2001:db8::102:304'],
  ])('%s prints as inet_ntop does: %s', (input, output) => {
    expect(formatted(input)).toBe(output);
  });

  test.each(['', '1.2.3', '1.2.3.256', '1.2.3.4/24', ':::', 'fe80::1%eth0', 'x'])(
    '%p is not an address',
    (text) => {
      expect(parseIp(text)).toBeUndefined();
    },
  );

  test('a prefix compares only its leading bits', () => {
    const network = parseIp('10.1.128.0')!;
    expect(inPrefix(parseIp('10.1.200.7')!, network, 17)).toBe(true);
    expect(inPrefix(parseIp('10.1.127.7')!, network, 17)).toBe(false);
    expect(inPrefix(parseIp('2001:db8::1')!, network, 0)).toBe(false);
  });

  test('order is numeric in network byte order', () => {
    expect(compareIp(parseIp('10.0.0.10')!, parseIp('10.0.0.9')!)).toBeGreaterThan(0);
  });
});
