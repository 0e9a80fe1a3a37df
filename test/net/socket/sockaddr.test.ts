import { BugError, DecodeError } from '../../../src/base/errors.js';
import { parseIp } from '../../../src/base/ipAddress.js';
import { errnoName, errnoText } from '../../../src/base/errno.js';
import { outcomeOf, requireDone } from '../../../src/net/socket/outcome.js';
import { SenderCache } from '../../../src/net/channel/senderCache.js';
import {
  decodeIpSocketAddress,
  ipSocketAddress,
  netlinkPortId,
  netlinkSocketAddress,
  packetSocketAddress,
  unixSocketAddress,
} from '../../../src/net/socket/sockaddr.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('socket addresses', () => {
  test.each([
    ['192.0.2.7', 3780, 0, '02000ec4c00002070000000000000000'],
    ['fe80::1', 3780, 5, '0a000ec400000000fe80000000000000000000000000000105000000'],
  ])('%s port %i', (text, port, scopeId, expected) => {
    const address = parseIp(text)!;
    const bytes = ipSocketAddress(address, port, scopeId);
    expect(hex(bytes)).toBe(expected);
    expect(decodeIpSocketAddress(bytes)).toEqual({ address, port, scopeId });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeIpSocketAddress(bytes.subarray(0, length))).toThrow(DecodeError);
    }
  });

  test('netlink, packet and UNIX addresses have the layouts of their headers', () => {
    expect(hex(netlinkSocketAddress(0x01020304, 7))).toBe('100000000403020107000000');
    expect(netlinkPortId(netlinkSocketAddress(0xfffffffe))).toBe(0xfffffffe);
    expect(() => netlinkPortId(new Uint8Array(12))).toThrow(DecodeError);
    expect(hex(packetSocketAddress(0x0806, 3, Uint8Array.of(1, 2, 3, 4, 5, 6)))).toBe(
      '1100080603000000' + '00000006' + '0102030405060000',
    );
    expect(hex(unixSocketAddress('/a'))).toBe('01002f6100');
    expect(hex(unixSocketAddress('@a'))).toBe('01000061');
    expect(() => unixSocketAddress('x'.repeat(107))).toThrow(BugError);
  });

  test('a repeated sender gives the same object, another sender its own', () => {
    const cache = new SenderCache((sender) => sender);
    const one = ipSocketAddress(parseIp('192.0.2.1')!, 1);
    const first = cache.lookup(one);
    expect(cache.lookup(one.slice())).toBe(first);
    expect(cache.lookup(ipSocketAddress(parseIp('192.0.2.1')!, 2)).port).toBe(2);
    expect(cache.lookup(one)).toEqual(first);
  });
});

describe('error numbers', () => {
  test('have the system names and texts', () => {
    expect(errnoName(105)).toBe('ENOBUFS');
    expect(errnoName(4000)).toBe('errno 4000');
    expect(errnoText(2)).toMatch(/no such file/i);
  });

  test('become outcomes', () => {
    expect(outcomeOf(0)).toEqual({ kind: 'done' });
    expect(outcomeOf(17)).toEqual({ kind: 'exists' });
    expect(outcomeOf(99, [99])).toEqual({ kind: 'absent' });
    expect(outcomeOf(1)).toMatchObject({ kind: 'refused', errno: 1 });
    expect(() => {
      requireDone('bind', 98);
    }).toThrow(/bind: EADDRINUSE/);
  });
});
