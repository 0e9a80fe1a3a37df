/**
 * JSON for programs: what is there is there by name, what is absent stays absent, and a flow
 * survives the way back.
 */
import { DecodeError } from '../../../src/base/errors.js';
import { parseIp } from '../../../src/base/ipAddress.js';
import { expectationJson } from '../../../src/conntrack/text/expectationJson.js';
import { flowFromJson, flowJson } from '../../../src/conntrack/text/flowJson.js';
import type { ExpectationView, FlowView, TupleView } from '../../../src/conntrack/text/flowView.js';

const original: TupleView = {
  protocol: 6,
  source: parseIp('10.1.2.3')!,
  destination: parseIp('198.51.100.7')!,
  sourcePort: 40_000,
  destinationPort: 21,
};

const flow: FlowView = {
  family: 2,
  original,
  reply: { ...original, source: parseIp('198.51.100.7')!, destination: parseIp('192.0.2.1')! },
  timeoutSeconds: 300,
  protocolState: 3,
  status: 0x1e,
  mark: 0,
  zone: 5,
  helper: 'ftp',
  id: 7,
};

const throughText = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a flow has its names, the bits of its status, and nothing that it lacks', () => {
  expect(throughText(flowJson(flow, 'update'))).toEqual({
    ...{ event: 'update', family: 'ipv4', protocol: 'tcp', protocolNumber: 6, timeout: 300 },
    ...{ state: 'ESTABLISHED', status: 0x1e, mark: 0, zone: 5, helper: 'ftp', id: 7 },
    statusBits: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'SRC_NAT'],
    original: {
      ...{ source: '10.1.2.3', destination: '198.51.100.7' },
      ...{ sourcePort: 40_000, destinationPort: 21 },
    },
    reply: {
      ...{ source: '198.51.100.7', destination: '192.0.2.1' },
      ...{ sourcePort: 40_000, destinationPort: 21 },
    },
  });
});

test('counters beyond 2^53 stay what they are', () => {
  const counters = { packets: 2n ** 60n + 1n, bytes: 2n ** 63n };
  const { original: tuple } = flowJson({ ...flow, original: { ...original, counters } });
  expect(tuple).toMatchObject({ packets: '1152921504606846977', bytes: '9223372036854775808' });
});

test('what a listing sends is the flow that it was', () => {
  expect(flowFromJson(throughText(flowJson(flow)))).toEqual(flow);
});

test.each([[undefined], [null], ['text'], [[]], [{}], [{ original: 3 }]])(
  '%j is no flow',
  (value) => {
    expect(() => flowFromJson(value)).toThrow(DecodeError);
  },
);

test('an expectation has the names of a flow for its three tuples', () => {
  const mask: TupleView = { protocol: 6, source: parseIp('255.255.255.255')! };
  const expectation: ExpectationView = {
    ...{ family: 2, timeoutSeconds: 60, tuple: original, mask, master: original },
    ...{ flags: 1, class: 0, helper: 'ftp', functionName: 'nat-follow-master' },
  };
  const tuple = {
    ...{ source: '10.1.2.3', destination: '198.51.100.7' },
    ...{ sourcePort: 40_000, destinationPort: 21 },
  };
  expect(throughText(expectationJson(expectation, 'new'))).toEqual({
    ...{ event: 'new', family: 'ipv4', protocol: 'tcp', protocolNumber: 6, timeout: 60 },
    ...{ tuple, mask: { source: '255.255.255.255' }, master: tuple },
    ...{ flags: 1, class: 0, helper: 'ftp', function: 'nat-follow-master' },
  });
});
