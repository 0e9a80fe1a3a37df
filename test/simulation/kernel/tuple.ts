/** Tuples: the key under which a kernel finds a flow, and the tuple that its answers have. */
import { protocol } from '../../../src/conntrack/constants.js';
import type { Tuple } from './kernelPorts.js';

/** ICMP types that are tracked: echo, timestamp, information, address mask (RFC 792, RFC 950). */
const icmpPairs: readonly (readonly [number, number])[] = [
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
];
/** Echo (RFC 4443) and node information (RFC 4620). */
const icmpv6Pairs: readonly (readonly [number, number])[] = [
  [128, 129],
  [139, 140],
];
const icmpAnswers = bothWays(icmpPairs);
const icmpv6Answers = bothWays(icmpv6Pairs);
/** A first packet of these types begins a flow; answers alone do not. */
const icmpRequests = new Set(icmpPairs.map(([request]) => request));
const icmpv6Requests = new Set(icmpv6Pairs.map(([request]) => request));

export function tupleKey(tuple: Tuple, zone: number): string {
  const { protocol: number, source, sourcePort, destination, destinationPort } = tuple;
  const text = `${number} ${source} ${sourcePort} ${destination} ${destinationPort}`;
  return zone === 0 ? text : `${text} zone ${zone}`;
}

export const isIcmp = (number: number): boolean =>
  number === protocol.icmp || number === protocol.icmpv6;

/** The tuple of an answer where nothing is translated. */
export function inverseOf(tuple: Tuple): Tuple {
  const { protocol: number } = tuple;
  if (number === protocol.icmp || number === protocol.icmpv6) return icmpAnswerOf(tuple);
  return {
    protocol: number,
    source: tuple.destination,
    sourcePort: tuple.destinationPort,
    destination: tuple.source,
    destinationPort: tuple.sourcePort,
  };
}

function icmpAnswerOf(tuple: Tuple): Tuple {
  const { protocol: number, destinationPort } = tuple;
  const type = destinationPort >>> 8;
  const answer = (number === protocol.icmp ? icmpAnswers : icmpv6Answers).get(type) ?? type;
  return {
    protocol: number,
    source: tuple.destination,
    sourcePort: tuple.sourcePort,
    destination: tuple.source,
    destinationPort: (answer << 8) | (destinationPort & 0xff),
  };
}

/** Whether a request over ctnetlink may name this ICMP type. */
export function isTrackedIcmp(number: number, type: number): boolean {
  return (number === protocol.icmp ? icmpAnswers : icmpv6Answers).has(type);
}

/** Whether a packet of this ICMP type may be the first of a flow. */
export function beginsIcmpFlow(tuple: Tuple): boolean {
  const requests = tuple.protocol === protocol.icmp ? icmpRequests : icmpv6Requests;
  return requests.has(tuple.destinationPort >>> 8);
}

/** TCP, UDP, UDPLITE and SCTP. */
export function hasPorts(number: number): boolean {
  return (
    number === protocol.tcp ||
    number === protocol.udp ||
    number === protocol.udplite ||
    number === protocol.sctp
  );
}

export function sameTuple(a: Tuple, b: Tuple): boolean {
  return (
    a.protocol === b.protocol &&
    a.source === b.source &&
    a.sourcePort === b.sourcePort &&
    a.destination === b.destination &&
    a.destinationPort === b.destinationPort
  );
}

function bothWays(pairs: readonly (readonly [number, number])[]): Map<number, number> {
  return new Map(
    pairs.flatMap(([a, b]): [number, number][] => [
      [a, b],
      [b, a],
    ]),
  );
}
