/**
 * Zones of one direction on the wire: what a keepstate reads back, and what a conntrackd may
 * ignore.
 */
import {
  clearScratch,
  deriveReply,
  newScratch,
  presenceBit,
  rareWord,
  recordWord,
  zoneScope,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { FlowReader } from '../../../src/sync/wire/flowReader.js';
import { FlowWriter, longestFlowMessage } from '../../../src/sync/wire/flowWriter.js';
import { headerBytes } from '../../../src/sync/wire/header.js';

const names = new NameTable();

function flow(zone: number): FlowCursor {
  const record = newScratch(names);
  clearScratch(record);
  record.setKind(false, 17);
  record.set(recordWord.originalPorts, 7);
  record.learn(presenceBit.ports);
  deriveReply(record);
  record.set(recordWord.zone, zone);
  record.learn(presenceBit.zone);
  return record;
}

function written(record: FlowCursor): DataView {
  const view = new DataView(new ArrayBuffer(longestFlowMessage).slice(0));
  // What an earlier message left behind.
  for (let i = 0; i < view.byteLength; i++) view.setUint8(i, 0xee);
  const length = new FlowWriter({ sendTimeout: true, sendScales: false }).write(view, 0, record);
  return new DataView(view.buffer, 0, length);
}

function read(view: DataView): FlowCursor | undefined {
  const record = newScratch(names);
  return new FlowReader().read(view, headerBytes, view.byteLength, record) ? record : undefined;
}

/** The bytes of the last attribute. */
const tail = (view: DataView): string =>
  Buffer.from(view.buffer, 0, view.byteLength).toString('hex').slice(-16);

test.each([
  ['original', zoneScope.original | 5, '0007001c01000500', 5],
  ['original, the largest', zoneScope.original | 0xffff, '0007001c01ffff00', 0xffff],
  ['reply', zoneScope.reply | 300, '0007001c02012c00', 0],
])('%s: labels of three bytes', (_name, zone, bytes, keyZone) => {
  const view = written(flow(zone));
  expect(tail(view)).toBe(bytes);
  const back = read(view);
  expect([back?.get(recordWord.zone), back?.keyZone]).toEqual([zone, keyZone]);
});

test('a zone of both directions is conntrackd’s ZONE', () => {
  const view = written(flow(zoneScope.both | 5));
  expect(tail(view)).toBe('0006002000050000');
  expect(read(view)?.get(recordWord.zone)).toBe(5);
});

test('only zones of one direction are counted', () => {
  const writer = new FlowWriter({ sendTimeout: true, sendScales: false });
  const view = new DataView(new ArrayBuffer(longestFlowMessage));
  for (const zone of [zoneScope.both | 5, 0, zoneScope.original, zoneScope.reply | 5]) {
    writer.write(view, 0, flow(zone));
  }
  expect(writer.directionZones).toBe(1);
});

test('labels of the flow stand beside it', () => {
  const record = flow(zoneScope.original | 5);
  record.setRare(rareWord.labels, 0x8000_0000);
  record.setRare(rareWord.labelsLength, 16);
  record.learn(presenceBit.labels);
  const back = read(written(record));
  expect(back?.getRare(rareWord.labels)).toBe(0x8000_0000);
  expect(back?.get(recordWord.zone)).toBe(zoneScope.original | 5);
});

test.each([
  ['a third direction', '0007001c03000500'],
  ['both directions', '0007001c00000500'],
  ['zone 0', '0007001c01000000'],
  ['two bytes', '0006001c01050000'],
])('%s is ignored, and the rest is taken', (_name, bytes) => {
  const view = written(flow(zoneScope.original | 5));
  Buffer.from(bytes, 'hex').copy(Buffer.from(view.buffer), view.byteLength - 8);
  const back = read(view);
  expect([back?.knows(presenceBit.zone), back?.get(recordWord.originalPorts)]).toEqual([false, 7]);
});
