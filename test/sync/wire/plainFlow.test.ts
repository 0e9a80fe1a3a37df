import {
  presenceBit,
  infoField,
  newScratch,
  addressRole,
  recordWord,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { wireRows } from '../../../src/sync/wire/flowAttributes.js';
import { FlowWriter, longestFlowMessage } from '../../../src/sync/wire/flowWriter.js';
import { headerBytes } from '../../../src/sync/wire/header.js';
import { plain, plainKind } from '../../../src/sync/wire/plainFlow.js';

const tcp = 6;
const udp = 17;

function encode(protocol: number, presence: number, sendTimeout: boolean): string {
  const flow = newScratch(new NameTable());
  flow.setKind(false, protocol);
  flow.setAddressWord(addressRole.originalSource, 0, 0x0100_000a);
  flow.setAddressWord(addressRole.originalDestination, 0, 0x1464_33c6);
  flow.set(recordWord.originalPorts, 0x1388_01bb);
  flow.set(recordWord.status, 0x8000_018e);
  flow.set(recordWord.timeout, 0xffff_fff0);
  flow.set(recordWord.mark, 0xdead_beef);
  flow.set(
    recordWord.info,
    3 | (0xab << infoField.flagsOriginalShift) | (7 << infoField.scaleReplyShift),
  );
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
const known = presenceBit.status | presenceBit.timeout | presenceBit.ports;

test.each([
  ['TCP', tcp, presenceBit.state, true, '0005000206000000' + ports + state + timeout],
  ['TCP without the timeout', tcp, presenceBit.state, false, '0005000206000000' + ports + state],
  ['TCP without a state', tcp, 0, true, '0005000206000000' + ports + timeout],
  ['UDP', udp, 0, true, '0005000211000000' + ports + timeout],
  ['UDP without the timeout', udp, 0, false, '0005000211000000' + ports],
  [
    'TCP with a mark, by the rows',
    tcp,
    presenceBit.state | presenceBit.mark,
    true,
    '0005000206000000' + ports + state + timeout + mark,
  ],
])('%s', (_name, protocol, presence, sendTimeout, expected) => {
  expect(encode(protocol, known | presence, sendTimeout)).toBe(always + expected);
});

test('plain is what has exactly these attributes', () => {
  const start = [wireRows.ipv4, wireRows.status, wireRows.protocol, wireRows.ports];
  expect(plainKind(start)).toBe(0);
  expect(plainKind([...start, wireRows.tcpState, wireRows.timeout])).toBe(
    plain.state | plain.timeout,
  );
  expect(plainKind([...start, wireRows.timeout, wireRows.mark])).toBe(plain.none);
  expect(plainKind([...start, wireRows.sctpState])).toBe(plain.none);
  expect(plainKind([wireRows.ipv6, ...start.slice(1)])).toBe(plain.none);
  expect(plainKind([])).toBe(plain.none);
});
