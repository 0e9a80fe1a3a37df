/**
 * Requests of the `conntrack` command (linux/netfilter/nfnetlink_conntrack.h): list, get, create,
 * update, delete, flush. Attributes stand in the order in which conntrack 1.4.9 sends them.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { messageFlag, messageType, statusBit, tcpState } from '../constants.js';
import type { MessageBatch } from '../codec/messageBatch.js';
import { labelBytes } from '../text/labels.js';
import { direction, part, place, type MessageIndex } from '../text/messageIndex.js';
import { isIcmp, protocolNumbers } from '../text/names.js';
import type { FlowPattern, MaskedValue, NatPattern, TuplePattern } from './flowPattern.js';

/** Bytes that any of these requests fits into. */
export const largestFlowRequest = 1_024;

/** Message types that only this command uses. */
export const listType = {
  flows: messageType.flowGet,
  /** Reads and zeroes the counters. */
  flowsZeroing: 0x103,
  dying: 0x106,
  unconfirmed: 0x107,
} as const;

/** CTA_*. */
const cta = {
  original: 1,
  reply: 2,
  status: 3,
  protocolInfo: 4,
  sourceNat: 6,
  timeout: 7,
  mark: 8,
  id: 12,
  destinationNat: 13,
  zone: 18,
  markMask: 21,
  labels: 22,
  labelsMask: 23,
  statusMask: 26,
} as const;

/**
 * IP_CT_TCP_FLAG_SACK_PERM and _BE_LIBERAL, and _CLOSE_INIT: what is assumed of a flow whose
 * packets nobody has seen.
 */
const assumedTcpFlags = 0x0a;
const closingTcpFlag = 0x04;

/** A list with what the kernel can select by itself. */
export function encodeList(
  out: MessageBatch,
  type: number,
  family: number,
  mark?: MaskedValue,
  status?: MaskedValue,
): void {
  out.begin(type, messageFlag.request | messageFlag.dump, 1, family);
  if (mark !== undefined) {
    out.u32(cta.mark, mark.value);
    out.u32(cta.markMask, mark.mask);
  }
  if (status !== undefined) {
    out.u32(cta.status, status.value);
    out.u32(cta.statusMask, status.mask);
  }
  out.finish();
}

/** `reply` tuples name a flow as well, where only they are known. */
export function encodeGet(out: MessageBatch, pattern: FlowPattern): void {
  out.begin(messageType.flowGet, messageFlag.request | messageFlag.ack, 1, pattern.family);
  const { original, reply } = pattern;
  if (original.source !== undefined) encodeTuple(out, cta.original, original);
  else encodeTuple(out, cta.reply, reply);
  out.finish();
}

/** `exclusive`: an existing flow is an error, else it is updated. */
export function encodeCreate(out: MessageBatch, pattern: FlowPattern, exclusive: boolean): void {
  const flags =
    messageFlag.request |
    messageFlag.ack |
    messageFlag.create |
    (exclusive ? messageFlag.exclusive : 0);
  out.begin(messageType.flowNew, flags, 1, pattern.family);
  encodeTuple(out, cta.original, pattern.original);
  encodeTuple(out, cta.reply, pattern.reply);
  if (pattern.status !== undefined) {
    out.u32(cta.status, (pattern.status.value | statusBit.confirmed) >>> 0);
  }
  out.u32(cta.timeout, pattern.timeoutSeconds ?? 0);
  if (pattern.mark !== undefined) out.u32(cta.mark, pattern.mark.value);
  encodeProtocolInfo(out, pattern.original.protocol, pattern);
  encodeNat(out, cta.sourceNat, pattern.sourceNat);
  encodeNat(out, cta.destinationNat, pattern.destinationNat);
  if (pattern.zone !== undefined) out.u16(cta.zone, pattern.zone);
  if (pattern.labelsAdded !== undefined) {
    encodeLabels(out, pattern.labelsAdded, pattern.labelsAdded);
  }
  out.finish();
}

/** What an update changes; absent stays. */
export interface FlowChange {
  readonly timeoutSeconds?: number;
  readonly status?: number;
  readonly mark?: number;
  readonly state?: number;
  readonly originalTag?: number;
  readonly replyTag?: number;
  readonly labels?: Uint8Array;
}

export function encodeUpdate(out: MessageBatch, flow: MessageIndex, change: FlowChange): void {
  out.begin(messageType.flowNew, messageFlag.request | messageFlag.ack, 1, flow.family);
  encodeName(out, flow);
  if (change.status !== undefined) {
    out.u32(cta.status, (change.status | statusBit.confirmed) >>> 0);
  }
  if (change.timeoutSeconds !== undefined) out.u32(cta.timeout, change.timeoutSeconds);
  if (change.mark !== undefined) out.u32(cta.mark, change.mark);
  const protocol = flow.uint8(direction.original + part.protocol);
  const { state, originalTag, replyTag } = change;
  encodeProtocolInfo(out, protocol, { state, originalTag, replyTag });
  if (change.labels !== undefined) {
    encodeLabels(out, change.labels, new Uint8Array(labelBytes).fill(0xff));
  }
  out.finish();
}

/** The flow and no later one with the same tuples: its id is compared. */
export function encodeDelete(out: MessageBatch, flow: MessageIndex): void {
  out.begin(messageType.flowDelete, messageFlag.request | messageFlag.ack, 1, flow.family);
  encodeName(out, flow);
  if (flow.has(place.id)) out.u32(cta.id, flow.uint32(place.id));
  out.finish();
}

/** The flow as it is now. */
export function encodeGetAgain(out: MessageBatch, flow: MessageIndex): void {
  out.begin(messageType.flowGet, messageFlag.request | messageFlag.ack, 1, flow.family);
  encodeName(out, flow);
  out.finish();
}

/** Both families where `family` is 0, else that one: the kernel honours it from version 1 on. */
export function encodeFlush(out: MessageBatch, family: number): void {
  const flags = messageFlag.request | messageFlag.ack;
  out.begin(messageType.flowDelete, flags, 1, family, family === 0 ? 0 : 1);
  out.finish();
}

/** Original tuple and zone: what names a flow of the kernel. */
function encodeName(out: MessageBatch, flow: MessageIndex): void {
  encodeTuple(out, cta.original, tupleOf(flow, direction.original));
  if (flow.has(place.zone)) out.u16(cta.zone, flow.uint16(place.zone));
  const replyZone = direction.reply + part.zone;
  if (!flow.has(replyZone)) return;
  encodeTuple(out, cta.reply, tupleOf(flow, direction.reply));
}

/** One direction of a flow of the kernel. */
function tupleOf(flow: MessageIndex, base: number): TuplePattern {
  const bytes = flow.family === 10 ? 16 : 4;
  const address = (slot: number): IpAddress => {
    const from = flow.at[slot]!;
    return { family: bytes === 4 ? 4 : 6, bytes: flow.bytes.slice(from, from + bytes) };
  };
  const tuple: TuplePattern = {};
  if (flow.has(base + part.source)) tuple.source = address(base + part.source);
  if (flow.has(base + part.destination)) tuple.destination = address(base + part.destination);
  if (flow.has(base + part.protocol)) tuple.protocol = flow.uint8(base + part.protocol);
  if (flow.has(base + part.sourcePort)) tuple.sourcePort = flow.uint16(base + part.sourcePort);
  if (flow.has(base + part.destinationPort)) {
    tuple.destinationPort = flow.uint16(base + part.destinationPort);
  }
  if (flow.has(base + part.icmpType)) tuple.icmpType = flow.uint8(base + part.icmpType);
  if (flow.has(base + part.icmpCode)) tuple.icmpCode = flow.uint8(base + part.icmpCode);
  if (flow.has(base + part.icmpId)) tuple.icmpId = flow.uint16(base + part.icmpId);
  if (flow.has(base + part.zone)) tuple.zone = flow.uint16(base + part.zone);
  return tuple;
}

/**
 * A nest with the parts that are there. One port without the other has 0 beside it, as have type,
 * code and id of ICMP.
 */
export function encodeTuple(out: MessageBatch, type: number, tuple: TuplePattern): void {
  const nest = out.openNest(type);
  const ip = out.openNest(1);
  encodeAddress(out, tuple.source, 1, 3);
  encodeAddress(out, tuple.destination, 2, 4);
  out.closeNestUnlessEmpty(ip);
  if (tuple.protocol !== undefined) encodeLayer4(out, tuple, tuple.protocol);
  if (tuple.zone !== undefined) out.u16(3, tuple.zone);
  out.closeNest(nest);
}

function encodeLayer4(out: MessageBatch, tuple: TuplePattern, protocol: number): void {
  const nest = out.openNest(2);
  out.u8(1, protocol);
  const { sourcePort, destinationPort, icmpType, icmpCode, icmpId } = tuple;
  if (isIcmp(protocol)) {
    if (icmpType !== undefined || icmpCode !== undefined || icmpId !== undefined) {
      const first = protocol === protocolNumbers.icmp ? 4 : 7;
      out.u8(first + 2, icmpCode ?? 0);
      out.u8(first + 1, icmpType ?? 0);
      out.u16(first, icmpId ?? 0);
    }
  } else if (sourcePort !== undefined || destinationPort !== undefined) {
    out.u16(2, sourcePort ?? 0);
    out.u16(3, destinationPort ?? 0);
  }
  out.closeNest(nest);
}

function encodeAddress(
  out: MessageBatch,
  address: IpAddress | undefined,
  type4: number,
  type6: number,
): void {
  if (address !== undefined) bytes(out, address.family === 4 ? type4 : type6, address.bytes);
}

/** What the kernel keeps beside the tuples of TCP, SCTP and DCCP. */
interface ProtocolInfo {
  readonly state?: number | undefined;
  readonly originalTag?: number | undefined;
  readonly replyTag?: number | undefined;
  readonly dccpRole?: number | undefined;
}

function encodeProtocolInfo(
  out: MessageBatch,
  protocol: number | undefined,
  { state, originalTag, replyTag, dccpRole }: ProtocolInfo,
): void {
  if (state === undefined && originalTag === undefined && replyTag === undefined) return;
  const nest = out.openNest(cta.protocolInfo);
  if (protocol === protocolNumbers.tcp) encodeTcp(out, state ?? 0);
  if (protocol === protocolNumbers.dccp) {
    const dccp = out.openNest(2);
    out.u8(1, state ?? 0);
    out.u8(2, dccpRole ?? 0);
    out.closeNest(dccp);
  }
  if (protocol === protocolNumbers.sctp) {
    const sctp = out.openNest(3);
    out.u8(1, state ?? 0);
    out.u32(2, originalTag ?? 0);
    out.u32(3, replyTag ?? 0);
    out.closeNest(sctp);
  }
  out.closeNestUnlessEmpty(nest);
}

function encodeTcp(out: MessageBatch, state: number): void {
  const flags = assumedTcpFlags | (state >= tcpState.timeWait ? closingTcpFlag : 0);
  const tcp = out.openNest(1);
  out.u8(1, state);
  out.flags(4, flags, flags);
  out.flags(5, flags, flags);
  out.closeNest(tcp);
}

function encodeNat(out: MessageBatch, type: number, nat: NatPattern | undefined): void {
  if (nat?.address === undefined) return;
  const nest = out.openNest(type);
  encodeAddress(out, nat.address, 1, 4);
  if (nat.port !== undefined) {
    const ports = out.openNest(3);
    out.u16(1, nat.port);
    out.u16(2, nat.port);
    out.closeNest(ports);
  }
  out.closeNest(nest);
}

function encodeLabels(out: MessageBatch, labels: Uint8Array, mask: Uint8Array): void {
  bytes(out, cta.labels, labels);
  bytes(out, cta.labelsMask, mask);
}

/** `value.length` is a multiple of 4. */
function bytes(out: MessageBatch, type: number, value: Uint8Array): void {
  const words = new Uint32Array(value.slice().buffer);
  out.raw(type, words, 0, words.length);
}
