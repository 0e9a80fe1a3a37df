/**
 * Flow record -> ctnetlink attributes, by interpreting the attribute table, straight into a
 * MessageBatch. Only what is known is written. Whole requests are composed in flowRequests.ts.
 */
import { attributeForm, attributeStore, tupleKind, type AttributeRow } from './attributeRow.js';
import { attributeRows, protocolInfoNest } from './attributeTable.js';
import {
  presenceBit,
  inversePorts,
  kindField,
  rareWord,
  addressRole,
  recordWord,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../record/flowRecord.js';
import type { MessageBatch } from './messageBatch.js';
import { encodeTuple, TupleFields } from './tupleCodec.js';

const tuple = new TupleFields();

/** One attribute, if it is known. */
export function encodeAttribute(out: MessageBatch, row: AttributeRow, flow: FlowCursor): void {
  if (row.presence !== 0 && !flow.knows(row.presence)) return;
  switch (row.form) {
    case attributeForm.u8:
      out.u8(row.number, infoValue(row, flow));
      break;
    case attributeForm.flags:
      // The kernel's own messages carry mask 0; requests that set flags are written in
      // flowRequests.ts.
      out.flags(row.number, infoValue(row, flow), 0);
      break;
    case attributeForm.u32:
      out.u32(
        row.number,
        row.store === attributeStore.record ? flow.get(row.place) : flow.getRare(row.place),
      );
      break;
    case attributeForm.u64:
      out.u64(row.number, flow.getRare(row.place), flow.getRare(row.place + 1));
      break;
    case attributeForm.nest:
      encodeNest(out, row, flow);
      break;
    case attributeForm.tuple:
      encodeTupleOf(out, row, flow);
      break;
    case attributeForm.zone:
      if ((flow.get(recordWord.zone) & zoneScope.mask) === zoneScope.both) {
        out.u16(row.number, flow.get(recordWord.zone) & 0xffff);
      }
      break;
    case attributeForm.text:
      out.text(row.number, flow.names.bytes(flow.getRare(row.place)));
      break;
    case attributeForm.labels:
      out.raw(
        row.number,
        flow.rare,
        flow.rareAt + rareWord.labels,
        flow.getRare(rareWord.labelsLength) >> 2,
      );
      break;
    case attributeForm.ignored:
      break;
  }
}

function infoValue(row: AttributeRow, flow: FlowCursor): number {
  return (flow.get(recordWord.info) >>> row.place) & row.mask;
}

function encodeNest(out: MessageBatch, row: AttributeRow, flow: FlowCursor): void {
  const token = out.openNest(row.number);
  if (row === attributeRows.protocolInfo) {
    // The three children share the state byte: only the flow's own protocol is written.
    const child = protocolInfoNest(flow.protocol);
    if (child !== undefined) encodeNest(out, child, flow);
  } else {
    for (const inner of row.nest!.rows) encodeAttribute(out, inner, flow);
  }
  out.closeNestUnlessEmpty(token);
}

function encodeTupleOf(out: MessageBatch, row: AttributeRow, flow: FlowCursor): void {
  if (row.place === tupleKind.original) encodeOriginal(out, flow);
  else if (row.place === tupleKind.reply) encodeReply(out, flow);
  else encodeMaster(out, flow);
}

/** CTA_TUPLE_ORIG. */
export function encodeOriginal(out: MessageBatch, flow: FlowCursor): void {
  start(flow);
  tuple.ports = flow.get(recordWord.originalPorts);
  tuple.zone = scopedZone(flow, zoneScope.original);
  addresses(flow, addressRole.originalSource, addressRole.originalDestination);
  encodeTuple(out, attributeRows.original.number, tuple);
}

/** CTA_TUPLE_REPLY as the record has it. */
function encodeReply(out: MessageBatch, flow: FlowCursor): void {
  start(flow);
  tuple.ports = flow.get(recordWord.replyPorts);
  tuple.zone = scopedZone(flow, zoneScope.reply);
  addresses(flow, addressRole.replySource, addressRole.replyDestination);
  encodeTuple(out, attributeRows.reply.number, tuple);
}

/**
 * CTA_TUPLE_REPLY as the plain inverse of the original tuple: the form in which the kernel takes
 * NAT.
 */
export function encodeInverse(out: MessageBatch, flow: FlowCursor): void {
  start(flow);
  tuple.ports = inversePorts(flow.protocol, flow.get(recordWord.originalPorts));
  tuple.zone = scopedZone(flow, zoneScope.reply);
  addresses(flow, addressRole.originalDestination, addressRole.originalSource);
  encodeTuple(out, attributeRows.reply.number, tuple);
}

/** CTA_TUPLE_MASTER. */
export function encodeMaster(out: MessageBatch, flow: FlowCursor): void {
  const kindWord = flow.getRare(rareWord.masterKind);
  tuple.clear((kindWord & kindField.ipv6) !== 0);
  tuple.protocol = kindWord & kindField.protocolMask;
  tuple.ports = flow.getRare(rareWord.masterPorts);
  tuple.hasPorts = flow.knows(presenceBit.masterPorts);
  for (let i = 0; i < 4; i++) {
    tuple.source[i] = flow.getRare(rareWord.masterSource + i);
    tuple.destination[i] = flow.getRare(rareWord.masterDestination + i);
  }
  encodeTuple(out, attributeRows.master.number, tuple);
}

function start(flow: FlowCursor): void {
  tuple.isIpv6 = flow.isIpv6;
  tuple.protocol = flow.protocol;
  tuple.hasPorts = flow.knows(presenceBit.ports);
}

function scopedZone(flow: FlowCursor, scope: number): number {
  const zone = flow.get(recordWord.zone);
  return flow.knows(presenceBit.zone) && (zone & zoneScope.mask) === scope ? zone & 0xffff : -1;
}

function addresses(flow: FlowCursor, source: AddressRole, destination: AddressRole): void {
  const parts = tuple.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) {
    tuple.source[i] = flow.addressWord(source, i);
    tuple.destination[i] = flow.addressWord(destination, i);
  }
}
