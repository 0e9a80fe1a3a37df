/**
 * What the options of the `conntrack` command say about flows: which ones are meant, and how they
 * shall be. A field is there only where an option named it. `flowMatch.ts` compares patterns with
 * messages, `flowEncode.ts` makes requests of them.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { isIcmp, protocolNumbers } from '../text/names.js';

/** One direction. Ports are the keys of GRE too. */
export interface TuplePattern {
  source?: IpAddress;
  destination?: IpAddress;
  protocol?: number;
  sourcePort?: number;
  destinationPort?: number;
  icmpType?: number;
  icmpCode?: number;
  icmpId?: number;
  /** Zone of this direction alone. */
  zone?: number;
}

/** Address and port that a flow is translated to; both may be missing in a filter. */
export interface NatPattern {
  address?: IpAddress;
  port?: number;
}

/** Bits of `mask` that must be, or become, those of `value`. */
export interface MaskedValue {
  readonly value: number;
  readonly mask: number;
}

export interface FlowPattern {
  /** AF_INET, AF_INET6, or 0 for both. */
  family: number;
  original: TuplePattern;
  reply: TuplePattern;
  sourceMask?: IpAddress;
  destinationMask?: IpAddress;
  timeoutSeconds?: number;
  /** IPS_*. */
  status?: MaskedValue;
  mark?: MaskedValue;
  secmark?: number;
  /** Zone of both directions. */
  zone?: number;
  id?: number;
  /** The kernel's number of a TCP, SCTP or DCCP state. */
  state?: number;
  /** SCTP verification tags. */
  originalTag?: number;
  replyTag?: number;
  /** 0 client, 1 server. */
  dccpRole?: number;
  sourceNat?: NatPattern;
  destinationNat?: NatPattern;
  anyNat?: NatPattern;
  /** Bits that must be set. */
  labels?: Uint8Array;
  /** Bits to set and to clear. */
  labelsAdded?: Uint8Array;
  labelsRemoved?: Uint8Array;
}

export function newFlowPattern(): FlowPattern {
  return { family: 0, original: {}, reply: {} };
}

/** ICMP and ICMPv6 types that answer each other. */
const icmpPairs: readonly (readonly [number, number])[] = [
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
  [128, 129],
  [139, 140],
];

/** A type without an answer is its own: the kernel refuses it. */
function answeringIcmpType(type: number): number {
  const pair = icmpPairs.find(([request, answer]) => type === request || type === answer);
  if (pair === undefined) return type;
  return pair[0] === type ? pair[1] : pair[0];
}

/**
 * Both tuples of a flow to create: a direction of which nothing is said is the inverse of the other
 * one. Addresses of the reply direction without its ports stay without them, and the kernel says
 * what it thinks of that.
 */
export function completeTuples(pattern: FlowPattern): FlowPattern {
  const { reply } = pattern;
  const original = withPorts(pattern.original, reply);
  if (original.source === undefined && original.destination === undefined) {
    const whole = { ...inverse(reply), ...original };
    return { ...pattern, original: whole, reply: { ...inverse(whole), ...reply } };
  }
  const saysReply = reply.source !== undefined || reply.destination !== undefined;
  const answer = inverse(original);
  if (!saysReply) return { ...pattern, original, reply: withZone(answer, reply) };
  const icmp = isIcmp(original.protocol ?? 0) ? icmpParts(answer) : {};
  return { ...pattern, original, reply: { ...icmp, ...reply, ...protocolOf(original) } };
}

/** Ports of the original direction, from those of the other one where only they are known. */
function withPorts(original: TuplePattern, reply: TuplePattern): TuplePattern {
  if (original.sourcePort !== undefined || original.destinationPort !== undefined) return original;
  const { sourcePort, destinationPort } = inverse(reply);
  return { ...original, ...definedParts({ sourcePort, destinationPort }) };
}

/** ICMP belongs to IPv4 and ICMPv6 to IPv6; the kernel takes either and tracks nothing by it. */
export function hasProtocolOfFamily({ family, original }: FlowPattern): boolean {
  if (original.protocol === protocolNumbers.icmp) return family !== 10;
  return original.protocol !== protocolNumbers.icmpv6 || family !== 2;
}

/** What a packet of the other direction has, without translation. */
function inverse(tuple: TuplePattern): TuplePattern {
  const { source, destination, sourcePort, destinationPort, icmpType, icmpCode, icmpId } = tuple;
  return {
    ...(destination === undefined ? {} : { source: destination }),
    ...(source === undefined ? {} : { destination: source }),
    ...protocolOf(tuple),
    ...(destinationPort === undefined ? {} : { sourcePort: destinationPort }),
    ...(sourcePort === undefined ? {} : { destinationPort: sourcePort }),
    ...(icmpType === undefined ? {} : { icmpType: answeringIcmpType(icmpType) }),
    ...(icmpCode === undefined ? {} : { icmpCode }),
    ...(icmpId === undefined ? {} : { icmpId }),
  };
}

/** Whether a protocol has ports, or keys in their place. */
export function hasPortParts(protocol: number): boolean {
  const { tcp, udp, udplite, sctp, dccp, gre } = protocolNumbers;
  return [tcp, udp, udplite, sctp, dccp, gre].some((one) => one === protocol);
}

function withZone(answer: TuplePattern, { zone }: TuplePattern): TuplePattern {
  return zone === undefined ? answer : { ...answer, zone };
}

function protocolOf({ protocol }: TuplePattern): { protocol?: number } {
  return protocol === undefined ? {} : { protocol };
}

function icmpParts(tuple: TuplePattern): TuplePattern {
  const { icmpType, icmpCode, icmpId } = tuple;
  return definedParts({ icmpType, icmpCode, icmpId });
}

/** A copy without the fields that are undefined. */
function definedParts(fields: {
  readonly [Key in keyof TuplePattern]: TuplePattern[Key] | undefined;
}): TuplePattern {
  // Removing undefined values makes the optional fields of TuplePattern of them.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
