/**
 * Flow record -> ctnetlink attributes, by interpreting the attribute table, straight into a MessageBatch.
 * Only what is known is written. Whole requests are composed in flowRequests.ts.
 */
import {
  form,
  protocolInfoNest,
  rows,
  store,
  tupleKind,
  type AttributeRow,
} from './attributeTable.js';
import {
  has,
  inversePorts,
  kind,
  rare,
  role,
  word,
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
    case form.u8:
      out.u8(row.number, infoValue(row, flow));
      break;
    case form.flags:
      // The kernel's own messages carry mask 0; requests that set flags are written in flowRequests.ts.
      out.flags(row.number, infoValue(row, flow), 0);
      break;
    case form.u32:
      out.u32(
        row.number,
        row.store === store.record ? flow.get(row.place) : flow.getRare(row.place),
      );
      break;
    case form.u64:
      out.u64(row.number, flow.getRare(row.place), flow.getRare(row.place + 1));
      break;
    case form.nest:
      encodeNest(out, row, flow);
      break;
    case form.tuple:
      encodeTupleOf(out, row, flow);
      break;
    case form.zone:
      if ((flow.get(word.zone) & zoneScope.mask) === zoneScope.both) {
        out.u16(row.number, flow.get(word.zone) & 0xffff);
      }
      break;
    case form.text:
      out.text(row.number, flow.names.bytes(flow.getRare(row.place)));
      break;
    case form.labels:
      out.raw(
        row.number,
        flow.rare,
        flow.rareAt + rare.labels,
        flow.getRare(rare.labelsLength) >> 2,
      );
      break;
    case form.ignored:
      break;
  }
}

function infoValue(row: AttributeRow, flow: FlowCursor): number {
  return (flow.get(word.info) >>> row.place) & row.mask;
}

function encodeNest(out: MessageBatch, row: AttributeRow, flow: FlowCursor): void {
  const token = out.openNest(row.number);
  if (row === rows.protocolInfo) {
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
  tuple.ports = flow.get(word.originalPorts);
  tuple.zone = scopedZone(flow, zoneScope.original);
  addresses(flow, role.originalSource, role.originalDestination);
  encodeTuple(out, rows.original.number, tuple);
}

/** CTA_TUPLE_REPLY as the record has it. */
export function encodeReply(out: MessageBatch, flow: FlowCursor): void {
  start(flow);
  tuple.ports = flow.get(word.replyPorts);
  tuple.zone = scopedZone(flow, zoneScope.reply);
  addresses(flow, role.replySource, role.replyDestination);
  encodeTuple(out, rows.reply.number, tuple);
}

/** CTA_TUPLE_REPLY as the plain inverse of the original tuple: the form in which the kernel takes NAT. */
export function encodeInverse(out: MessageBatch, flow: FlowCursor): void {
  start(flow);
  tuple.ports = inversePorts(flow.protocol, flow.get(word.originalPorts));
  tuple.zone = scopedZone(flow, zoneScope.reply);
  addresses(flow, role.originalDestination, role.originalSource);
  encodeTuple(out, rows.reply.number, tuple);
}

/** CTA_TUPLE_MASTER. */
export function encodeMaster(out: MessageBatch, flow: FlowCursor): void {
  const kindWord = flow.getRare(rare.masterKind);
  tuple.clear((kindWord & kind.ipv6) !== 0);
  tuple.protocol = kindWord & kind.protocolMask;
  tuple.ports = flow.getRare(rare.masterPorts);
  tuple.hasPorts = flow.knows(has.masterPorts);
  for (let i = 0; i < 4; i++) {
    tuple.source[i] = flow.getRare(rare.masterSource + i);
    tuple.destination[i] = flow.getRare(rare.masterDestination + i);
  }
  encodeTuple(out, rows.master.number, tuple);
}

function start(flow: FlowCursor): void {
  tuple.isIpv6 = flow.isIpv6;
  tuple.protocol = flow.protocol;
  tuple.hasPorts = flow.knows(has.ports);
}

function scopedZone(flow: FlowCursor, scope: number): number {
  const zone = flow.get(word.zone);
  return flow.knows(has.zone) && (zone & zoneScope.mask) === scope ? zone & 0xffff : -1;
}

function addresses(flow: FlowCursor, source: AddressRole, destination: AddressRole): void {
  const parts = tuple.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) {
    tuple.source[i] = flow.addressWord(source, i);
    tuple.destination[i] = flow.addressWord(destination, i);
  }
}
