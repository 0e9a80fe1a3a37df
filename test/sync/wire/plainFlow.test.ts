import { has, info, newScratch, role, word } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { rows } from '../../../src/sync/wire/flowAttributes.js';
import { FlowWriter, longestFlowMessage } from '../../../src/sync/wire/flowWriter.js';
import { headerBytes } from '../../../src/sync/wire/header.js';
import { plain, plainKind } from '../../../src/sync/wire/plainFlow.js';

const tcp = 6;
const udp = 17;

function encode(protocol: number, presence: number, sendTimeout: boolean): string {
  const flow = newScratch(new NameTable());
  flow.setKind(false, protocol);
  flow.setAddressWord(role.originalSource, 0, 0x0100_000a);
  flow.setAddressWord(role.originalDestination, 0, 0x1464_33c6);
  flow.set(word.originalPorts, 0x1388_01bb);
  flow.set(word.status, 0x8000_018e);
  flow.set(word.timeout, 0xffff_fff0);
  flow.set(word.mark, 0xdead_beef);
  flow.set(word.info, 3 | (0xab << info.flagsOriginalShift) | (7 << info.scaleReplyShift));
  flow.learn(presence);
  const bytes = new Uint8Array(longestFlowMessage).fill(0xee);
  const writer = new FlowWriter({ sendTimeout, sendScales: false });
  const length = writer.write(new DataView(bytes.buffer), 0, flow);
  return Buffer.from(bytes.subarray(headerBytes, length)).toString('hex');
}

const always = '000c0000' + '0a000001' + 'c6336414' + '00080005' + '8000018e';
const ports = '00080003' + '138801bb';
const state = '00050004' + '03000000';
const timeout = '00080006' + 'fffffff0';
const mark = '00080007' + 'deadbeef';
const known = has.status | has.timeout | has.ports;

test.each([
  ['TCP', tcp, has.state, true, '0005000206000000' + ports + state + timeout],
  ['TCP without the timeout', tcp, has.state, false, '0005000206000000' + ports + state],
  ['TCP without a state', tcp, 0, true, '0005000206000000' + ports + timeout],
  ['UDP', udp, 0, true, '0005000211000000' + ports + timeout],
  ['UDP without the timeout', udp, 0, false, '0005000211000000' + ports],
  [
    'TCP with a mark, by the rows',
    tcp,
    has.state | has.mark,
    true,
    '0005000206000000' + ports + state + timeout + mark,
  ],
])('%s', (_name, protocol, presence, sendTimeout, expected) => {
  expect(encode(protocol, known | presence, sendTimeout)).toBe(always + expected);
});

test('plain is what has exactly these attributes', () => {
  const start = [rows.ipv4, rows.status, rows.protocol, rows.ports];
  expect(plainKind(start)).toBe(0);
  expect(plainKind([...start, rows.tcpState, rows.timeout])).toBe(plain.state | plain.timeout);
  expect(plainKind([...start, rows.timeout, rows.mark])).toBe(plain.none);
  expect(plainKind([...start, rows.sctpState])).toBe(plain.none);
  expect(plainKind([rows.ipv6, ...start.slice(1)])).toBe(plain.none);
  expect(plainKind([])).toBe(plain.none);
});
