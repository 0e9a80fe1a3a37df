import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import {
  deleteAddressBody,
  newAddressBody,
  newRouteBody,
  ruleBody,
} from '../../../src/net/netlink/rtnetlinkRequests.js';

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('rtnetlink requests', () => {
  test('a VIP with label, broadcast and origin is the message that iproute2 sends', () => {
    // Origin: captured from `ip address add 10.5.5.100/32 broadcast 10.5.5.255 label v0:vip dev v0
    // proto 18` (iproute2 6.1, Linux 6.18), interface index 2.
    const body = newAddressBody(
      {
        interfaceName: 'v0',
        address: ip('10.5.5.100'),
        prefixLength: 32,
        broadcast: ip('10.5.5.255'),
        label: 'v0:vip',
        protocol: 18,
      },
      2,
    );
    expect(hex(body)).toBe(
      '0220000002000000' +
        '080002000a050564' +
        '080001000a050564' +
        '080004000a0505ff' +
        '0b000300' +
        '76303a7669700000' +
        '05000b0012000000',
    );
  });

  test('a delete names address and prefix only', () => {
    const spec = {
      interfaceName: 'v0',
      address: ip('10.5.5.100'),
      prefixLength: 32,
      label: 'v0:vip',
      protocol: 18,
    };
    expect(hex(deleteAddressBody(spec, 2))).toBe(
      '0220000002000000080002000a050564080001000a050564',
    );
  });

  test('IPv6 flags stand in their own attribute and labels are left out', () => {
    const body = newAddressBody(
      { interfaceName: 'v0', address: ip('fd00::1'), prefixLength: 128, label: 'x', flags: 0x202 },
      3,
    );
    expect(hex(body)).toContain('0800080002020000');
    expect(hex(body)).not.toContain(Buffer.from('x\0').toString('hex'));
  });

  test('a table above 255 stands in the attribute and not in the header', () => {
    const body = newRouteBody(
      { family: 4, prefixLength: 0, table: 1000, gateway: ip('10.0.0.1') },
      7,
    );
    expect(body[4]).toBe(0);
    expect(hex(body)).toContain('08000f00e8030000');
  });

  test('a rule carries its selectors', () => {
    const body = ruleBody({
      family: 4,
      from: { address: ip('10.9.0.0'), prefixLength: 16 },
      priority: 100,
      table: 200,
    });
    expect(hex(body.subarray(0, 12))).toBe('020010' + '00' + 'c8' + '0000' + '01' + '00000000');
    expect(hex(body)).toContain('080002000a090000');
    expect(hex(body)).toContain('0800060064000000');
  });
});
