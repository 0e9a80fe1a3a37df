import { parseIp } from '../../../src/base/ipAddress.js';
import { flowFilter, type FlowFilterOptions } from '../../../src/conntrack/text/viewFilter.js';
import type { FlowView } from '../../../src/conntrack/text/flowView.js';

const flow: FlowView = {
  family: 2,
  original: {
    protocol: 6,
    source: parseIp('10.1.2.3')!,
    destination: parseIp('198.51.100.7')!,
    sourcePort: 40000,
    destinationPort: 443,
  },
  protocolState: 3,
  mark: 0x12,
};

const matches = (options: FlowFilterOptions): boolean | string => {
  const filter = flowFilter(options);
  return typeof filter === 'function' ? filter(flow) : filter.problem;
};

test.each<[FlowFilterOptions, boolean]>([
  [{}, true],
  [{ src: '10.1.2.3' }, true],
  [{ src: '10.1.0.0/16' }, true],
  [{ src: '10.2.0.0/16' }, false],
  [{ dst: '2001:db8::1' }, false],
  [{ proto: 'tcp', dport: '443' }, true],
  [{ proto: '17' }, false],
  [{ state: 'established' }, true],
  [{ state: 'LISTEN' }, false],
  [{ mark: '0x12' }, true],
  [{ mark: '2/0x2' }, true],
  [{ mark: '0' }, false],
  [{ zone: '0' }, true],
  [{ zone: '5' }, false],
  [{ family: 'ipv4', sport: '40000' }, true],
  [{ family: 'ipv6' }, false],
])('%j matches: %s', (options, expected) => {
  expect(matches(options)).toBe(expected);
});

test.each<[FlowFilterOptions, RegExp]>([
  [{ src: '10.1.2' }, /--src 10.1.2: expected an address/],
  [{ src: '10.1.2.3/33' }, /prefix length from 0 to 32/],
  [{ proto: 'foo' }, /protocol name/],
  [{ sport: '70000' }, /0 to 65535/],
  [{ mark: 'x' }, /value\/mask/],
  [{ family: 'ipx' }, /ipv4 or ipv6/],
])('%j is refused', (options, message) => {
  expect(matches(options)).toMatch(message);
});
