/** Where keepstate's messages and its reading of the peer's differ from conntrackd's, attribute by attribute. */
import {
  clearScratch,
  deriveReply,
  presenceBit,
  lifecycle,
  kindField,
  newScratch,
  rareWord,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { roomForMessages } from '../../../src/sync/wire/datagramBuilder.js';
import { FlowReader } from '../../../src/sync/wire/flowReader.js';
import { FlowWriter, longestFlowMessage } from '../../../src/sync/wire/flowWriter.js';
import { headerBytes } from '../../../src/sync/wire/header.js';
import { internText } from '../../support/conntrack/records.js';

const names = new NameTable();

function flowOf(protocolNumber: number, isIpv6 = false): FlowCursor {
  const flow = newScratch(names);
  clearScratch(flow);
  flow.setKind(isIpv6, protocolNumber);
  for (let i = 0; i < (isIpv6 ? 4 : 1); i++) {
    flow.setAddressWord(addressRole.originalSource, i, 0x0100000a + i);
    flow.setAddressWord(addressRole.originalDestination, i, 0x0200000a + i);
  }
  flow.set(recordWord.originalPorts, (4_000 << 16) | 53);
  flow.set(recordWord.status, 0xe);
  flow.learn(presenceBit.ports | presenceBit.status);
  deriveReply(flow);
  return flow;
}

interface Attribute {
  readonly number: number;
  readonly value: string;
}

function attributesOf(flow: FlowCursor): Attribute[] {
  const view = new DataView(new ArrayBuffer(longestFlowMessage));
  const length = new FlowWriter({ sendTimeout: true, sendScales: false }).write(view, 0, flow);
  const list: Attribute[] = [];
  for (let at = headerBytes; at < length;) {
    const size = view.getUint16(at);
    const value = Buffer.from(view.buffer, at + 4, size - 4).toString('hex');
    list.push({ number: view.getUint16(at + 2), value });
    at += (size + 3) & ~3;
  }
  return list;
}

function read(attributes: readonly Attribute[]): {
  flow: FlowCursor;
  reader: FlowReader;
  isGood: boolean;
} {
  const bytes = Buffer.concat(
    attributes.map(({ number, value }) => {
      const size = 4 + value.length / 2;
      const attribute = Buffer.alloc((size + 3) & ~3);
      attribute.writeUInt16BE(size, 0);
      attribute.writeUInt16BE(number, 2);
      attribute.write(value, 4, 'hex');
      return attribute;
    }),
  );
  const flow = newScratch(names);
  const reader = new FlowReader();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { flow, reader, isGood: reader.read(view, 0, bytes.length, flow) };
}

const valueOf = (list: readonly Attribute[], number: number): string | undefined =>
  list.find((one) => one.number === number)?.value;

test('an unknown attribute is skipped and counted, and what stands behind it is read', () => {
  const told = attributesOf(flowOf(17));
  const { flow, reader, isGood } = read([
    { number: 33, value: 'ffff' },
    ...told,
    { number: 60_000, value: '' },
    { number: 7, value: '0000002a' },
  ]);
  expect(isGood).toBe(true);
  expect(reader.unknownAttributes).toBe(2);
  expect(flow.get(recordWord.mark)).toBe(42);
  expect(flow.get(recordWord.originalPorts)).toBe((4_000 << 16) | 53);
});

test.each([
  ['ftp', '66747000'],
  ['elevenchars', Buffer.from('elevenchars\0').toString('hex')],
  ['twelve-chars', undefined],
])('the helper name %s is told where conntrackd takes it, and the flow always', (name, value) => {
  const flow = flowOf(6);
  flow.setRare(rareWord.helper, internText(names, name));
  flow.learn(presenceBit.helper);
  const told = attributesOf(flow);
  expect(valueOf(told, 27)).toBe(value);
  expect(valueOf(told, 3)).toBe('0fa00035');
});

test.each([
  ['GRE keys', 47],
  ['UDP-Lite ports', 136],
])('%s are told as PORT, so that flows between the same hosts stay apart', (_what, number) => {
  const told = attributesOf(flowOf(number));
  expect(valueOf(told, 3)).toBe('0fa00035');
  expect(read(told).flow.get(recordWord.originalPorts)).toBe((4_000 << 16) | 53);
});

test('labels of zero are told by an update alone: it is what clears them at the peer', () => {
  const flow = flowOf(6);
  flow.setRare(rareWord.labelsLength, 16);
  for (let i = 0; i < 4; i++) flow.setRare(rareWord.labels + i, 0);
  flow.learn(presenceBit.labels);
  const live = (life: number): void => {
    flow.set(
      recordWord.kind,
      (flow.get(recordWord.kind) & ~(3 << kindField.lifecycleShift)) |
        (life << kindField.lifecycleShift),
    );
  };
  live(lifecycle.fresh);
  expect(valueOf(attributesOf(flow), 28)).toBeUndefined();
  live(lifecycle.alive);
  expect(valueOf(attributesOf(flow), 28)).toBe('00'.repeat(16));
});

test('datagrams leave room for the headers of their family', () => {
  expect(roomForMessages(1_500, 4, false)).toBe(1_472);
  expect(roomForMessages(1_500, 6, false)).toBe(1_452);
  expect(roomForMessages(1_500, 4, true)).toBe(1_460);
});

test('a translation into the other family says nothing, whatever was read before it', () => {
  const told = attributesOf(flowOf(6, true));
  const { flow, isGood } = read([...told, { number: 12, value: 'cb007101' }]);
  expect(isGood).toBe(true);
  for (let i = 0; i < 4; i++) {
    expect(flow.addressWord(addressRole.replyDestination, i)).toBe(
      flow.addressWord(addressRole.originalSource, i),
    );
  }
});
