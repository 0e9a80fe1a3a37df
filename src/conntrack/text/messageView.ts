/**
 * One ctnetlink message (struct nlmsghdr, struct nfgenmsg, CTA_* attributes) as a view for
 * listings. Attribute numbers: linux/netfilter/nfnetlink_conntrack.h. Errors: DecodeError for bytes
 * that the kernel would not send.
 */
import { ByteReader } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import { ipFromBytes } from '../../base/ipAddress.js';
import { Attributes } from './attributes.js';
import type {
  EventKind,
  ExpectationView,
  FlowCounters,
  FlowView,
  SequenceAdjustment,
  TupleView,
} from './flowView.js';
import { definedOnly } from './definedOnly.js';
import { protocolNumbers } from './names.js';

/** Bytes before the attributes: nlmsghdr 16, nfgenmsg 4. */
const headersLength = 20;
const familyOffset = 16;
const noAttributes = new Attributes(new Uint8Array(0));

/** Whole message, nlmsghdr included. */
export function flowFromMessage(message: Uint8Array): FlowView {
  const attributes = attributesOf(message);
  const original = tuple(attributes.nest(1), attributes.nest(9));
  if (original === undefined) {
    throw new DecodeError('tuple-missing', 'conntrack message without CTA_TUPLE_ORIG');
  }
  const information = attributes.nest(4);
  const tcp = information.nest(1);
  const timestamp = attributes.nest(20);
  return definedOnly<FlowView>({
    family: message[familyOffset] ?? 0,
    original,
    reply: tuple(attributes.nest(2), attributes.nest(10)),
    master: tuple(attributes.nest(14), noAttributes),
    status: attributes.uint32(3),
    timeoutSeconds: attributes.uint32(7),
    protocolState: tcp.uint8(1) ?? information.nest(2).uint8(1) ?? information.nest(3).uint8(1),
    windowScaleOriginal: tcp.uint8(2),
    windowScaleReply: tcp.uint8(3),
    tcpFlagsOriginal: tcp.uint8(4),
    tcpFlagsReply: tcp.uint8(5),
    mark: attributes.uint32(8),
    secmark: attributes.uint32(17),
    securityContext: attributes.nest(19).string(1),
    zone: attributes.uint16(18),
    use: attributes.uint32(11),
    id: attributes.uint32(12),
    helper: attributes.nest(5).string(1),
    labels: attributes.bytes(22)?.slice(),
    sequenceOriginal: sequence(attributes.nest(15)),
    sequenceReply: sequence(attributes.nest(16)),
    start: timestamp.uint64(1),
    stop: timestamp.uint64(2),
  });
}

/** Whole message of subsystem NFNL_SUBSYS_CTNETLINK_EXP. */
export function expectationFromMessage(message: Uint8Array): ExpectationView {
  const attributes = attributesOf(message);
  const master = tuple(attributes.nest(1), noAttributes);
  const expected = tuple(attributes.nest(2), noAttributes);
  const mask = tuple(attributes.nest(3), noAttributes);
  if (master === undefined || expected === undefined || mask === undefined) {
    throw new DecodeError('tuple-missing', 'expectation without master, tuple or mask');
  }
  return definedOnly<ExpectationView>({
    family: message[familyOffset] ?? 0,
    tuple: expected,
    mask,
    master,
    timeoutSeconds: attributes.uint32(4),
    helper: attributes.string(6),
    zone: attributes.uint16(7),
    flags: attributes.uint32(8),
    class: attributes.uint32(9),
    functionName: attributes.string(11),
  });
}

/** NEW carries CREATE | EXCL, UPDATE no flags, DESTROY its own message number (low byte 2). */
export function eventKindOf(message: Uint8Array): EventKind {
  if (message[4] === 2) return 'destroy';
  return ((message[7] ?? 0) & 0x06) !== 0 ? 'new' : 'update';
}

/** nlmsg_pid: the socket whose request caused the event; 0 for packets and timeouts. */
export function portIdOf(message: Uint8Array): number {
  return new ByteReader(message.subarray(12)).uint32Host();
}

function attributesOf(message: Uint8Array): Attributes {
  if (message.length < headersLength) {
    throw new DecodeError('truncated', `ctnetlink message of ${message.length} bytes`);
  }
  return new Attributes(message.subarray(headersLength));
}

/** CTA_TUPLE_IP 1, CTA_TUPLE_PROTO 2, CTA_TUPLE_ZONE 3; undefined for an empty nest. */
function tuple(nest: Attributes, counters: Attributes): TupleView | undefined {
  if (!nest.has(1) && !nest.has(2)) return undefined;
  const ip = nest.nest(1);
  const layer4 = nest.nest(2);
  const protocol = layer4.uint8(1) ?? 0;
  const icmpBase = protocol === protocolNumbers.icmpv6 ? 7 : 4;
  return definedOnly<TupleView>({
    protocol,
    source: address(ip.bytes(1) ?? ip.bytes(3)),
    destination: address(ip.bytes(2) ?? ip.bytes(4)),
    sourcePort: layer4.uint16(2),
    destinationPort: layer4.uint16(3),
    icmpId: layer4.uint16(icmpBase),
    icmpType: layer4.uint8(icmpBase + 1),
    icmpCode: layer4.uint8(icmpBase + 2),
    zone: nest.uint16(3),
    counters: countersOf(counters),
  });
}

function address(bytes: Uint8Array | undefined): TupleView['source'] {
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}

function countersOf(nest: Attributes): FlowCounters | undefined {
  const packets = nest.uint64(1);
  const bytes = nest.uint64(2);
  return packets === undefined || bytes === undefined ? undefined : { packets, bytes };
}

function sequence(nest: Attributes): SequenceAdjustment | undefined {
  const correctionPosition = nest.uint32(1);
  const offsetBefore = nest.uint32(2);
  const offsetAfter = nest.uint32(3);
  if (correctionPosition === undefined || offsetBefore === undefined || offsetAfter === undefined) {
    return undefined;
  }
  return { correctionPosition, offsetBefore: offsetBefore | 0, offsetAfter: offsetAfter | 0 };
}
