import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { ipSocketAddress } from '../../../src/net/socket/sockaddr.js';
import {
  decodeIpv4Datagram,
  decodeIpv6Datagram,
  encodeDatagram,
} from '../../../src/net/vrrp/vrrpSocketHeaders.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'hex');

/** Origin: keepalived 2.2.7, VRRPv2 advert of VRID 51, captured behind the Ethernet header. */
const captured = bytes(
  '45c0002800010000ff701adec0a8ff0be0000012' + '213364010001ba26c0a8fffa' + '0000000000000000',
);

describe('IPv4 headers', () => {
  test('what keepalived sends is what is encoded, but for the checksum that the kernel fills', () => {
    const encoded = encodeDatagram({
      source: ip('192.168.255.11'),
      destination: ip('224.0.0.18'),
      identification: 1,
      ttl: 255,
      payload: captured.subarray(20),
    });
    const expected = Buffer.from(captured);
    expected.writeUInt16BE(0, 10);
    expect(Buffer.from(encoded)).toEqual(expected);
  });

  test('a captured packet is decoded', () => {
    expect(decodeIpv4Datagram(captured)).toEqual({
      source: ip('192.168.255.11'),
      destination: ip('224.0.0.18'),
      ttl: 255,
      totalLength: 40,
      payload: Uint8Array.from(captured.subarray(20)),
    });
  });

  test('options are skipped, and what follows the total length is no payload', () => {
    const packet = Buffer.concat([
      captured.subarray(0, 20),
      bytes('94040000'),
      captured.subarray(20),
    ]);
    packet[0] = 0x46;
    packet.writeUInt16BE(44, 2);
    const decoded = decodeIpv4Datagram(Buffer.concat([packet, bytes('ffff')]));
    expect(decoded?.payload).toEqual(Uint8Array.from(captured.subarray(20)));
  });

  test('a cut packet gives the payload that is there, and one without a header nothing', () => {
    for (let length = 0; length < captured.length; length++) {
      const decoded = decodeIpv4Datagram(captured.subarray(0, length));
      if (length < 20) expect(decoded).toBeUndefined();
      else expect(decoded?.payload).toHaveLength(length - 20);
    }
    expect(decodeIpv4Datagram(bytes('60'.repeat(40)))).toBeUndefined();
  });

  test('the payload is a copy', () => {
    const packet = Buffer.from(captured);
    const decoded = decodeIpv4Datagram(packet);
    packet.fill(0);
    expect(decoded?.payload[0]).toBe(0x21);
    expect(decoded?.source).toEqual(ip('192.168.255.11'));
  });
});

describe('IPv6 headers', () => {
  /**
   * Origin: keepalived 2.2.7, VRRPv3 advert of VRID 55; flow label (chosen by its kernel) zeroed.
   */
  const advert = bytes(
    '6c000000002870fffe80000000000000a80121fffe125c4bff020000000000000000000000000012' +
      '31376702006448a9fe800000000000000000000000000055fd000000000000000000000000000055',
  );

  test('what keepalived sends is what is encoded, the checksum filled in', () => {
    const payload = Buffer.from(advert.subarray(40));
    payload.writeUInt16BE(0, 6);
    const encoded = encodeDatagram({
      source: ip('fe80::a801:21ff:fe12:5c4b'),
      destination: ip('ff02::12'),
      identification: 7,
      ttl: 255,
      payload,
    });
    expect(Buffer.from(encoded)).toEqual(advert);
  });

  test('hop limit and destination come from control messages, unknown ones are skipped', () => {
    const control = Buffer.concat([
      bytes('18000000000000000100000099000000ffffffffffffffff'),
      bytes('14000000000000002900000034000000ff00000000000000'),
      bytes('24000000000000002900000032000000ff02000000000000000000000000001202000000'),
    ]);
    const sender = ipSocketAddress(ip('fe80::1'), 0, 2);
    expect(decodeIpv6Datagram(bytes('3101'), sender, control)).toEqual({
      source: ip('fe80::1'),
      destination: ip('ff02::12'),
      ttl: 255,
      totalLength: undefined,
      payload: Uint8Array.from([0x31, 1]),
    });
    for (let length = 0; length < control.length; length++) {
      const cut = decodeIpv6Datagram(bytes('3101'), sender, control.subarray(0, length));
      expect(cut?.source).toEqual(ip('fe80::1'));
    }
    expect(decodeIpv6Datagram(bytes('3101'), new Uint8Array(0), control)).toBeUndefined();
  });
});
