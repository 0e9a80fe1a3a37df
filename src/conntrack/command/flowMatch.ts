/**
 * Whether a flow of the kernel is one that the options mean. A pattern becomes a list of
 * comparisons of bytes, so that a listing of a million flows pays for what was asked and nothing
 * else.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { flowStatus } from '../text/flowView.js';
import { hasBit, labelBits, labelBytes } from '../text/labels.js';
import { direction, part, place, type MessageIndex } from '../text/messageIndex.js';
import { addressesDiffer, hasStatus } from '../text/translation.js';
import type { FlowPattern, MaskedValue, NatPattern, TuplePattern } from './flowPattern.js';

export type FlowTest = (flow: MessageIndex) => boolean;

/** True for flows that have all that `pattern` names, except what it wants to change. */
export function flowTest(pattern: FlowPattern): FlowTest {
  const tests = testsOf(pattern);
  if (tests.length === 0) return () => true;
  return (flow) => tests.every((test) => test(flow));
}

function testsOf(pattern: FlowPattern): FlowTest[] {
  const { original, reply } = direction;
  const tests: FlowTest[] = [];
  const add = <T>(value: T | undefined, make: (value: T) => FlowTest): void => {
    if (value !== undefined) tests.push(make(value));
  };
  if (pattern.family !== 0) tests.push((flow) => flow.family === pattern.family);
  add(pattern.original.protocol ?? pattern.reply.protocol, (wanted) =>
    numberTest(original + part.protocol, 1, wanted),
  );
  addTuple(tests, pattern.original, original, pattern.sourceMask, pattern.destinationMask);
  addTuple(tests, pattern.reply, reply, undefined, undefined);
  add(pattern.mark, (wanted) => maskedTest(place.mark, wanted));
  add(pattern.status, (wanted) => maskedTest(place.status, wanted));
  add(pattern.secmark, (wanted) => numberTest(place.secmark, 4, wanted));
  add(pattern.zone, zoneTest(place.zone));
  add(pattern.id, (wanted) => numberTest(place.id, 4, wanted));
  add(pattern.state, (wanted) => numberTest(place.state, 1, wanted));
  add(pattern.sourceNat, (wanted) => (flow) => isSourceNat(flow, wanted));
  add(pattern.destinationNat, (wanted) => (flow) => isDestinationNat(flow, wanted));
  add(
    pattern.anyNat,
    (wanted) => (flow) => isSourceNat(flow, wanted) || isDestinationNat(flow, wanted),
  );
  add(pattern.labels, labelTest);
  return tests;
}

function addTuple(
  tests: FlowTest[],
  tuple: TuplePattern,
  base: number,
  sourceMask: IpAddress | undefined,
  destinationMask: IpAddress | undefined,
): void {
  const add = <T>(value: T | undefined, make: (value: T) => FlowTest): void => {
    if (value !== undefined) tests.push(make(value));
  };
  add(tuple.source, (wanted) => addressTest(base + part.source, wanted, sourceMask));
  add(tuple.destination, (wanted) => addressTest(base + part.destination, wanted, destinationMask));
  add(tuple.sourcePort, (wanted) => numberTest(base + part.sourcePort, 2, wanted));
  add(tuple.destinationPort, (wanted) => numberTest(base + part.destinationPort, 2, wanted));
  add(tuple.icmpType, (wanted) => numberTest(base + part.icmpType, 1, wanted));
  add(tuple.icmpCode, (wanted) => numberTest(base + part.icmpCode, 1, wanted));
  add(tuple.icmpId, (wanted) => numberTest(base + part.icmpId, 2, wanted));
  add(tuple.zone, zoneTest(base + part.zone));
}

function numberTest(slot: number, bytes: 1 | 2 | 4, wanted: number): FlowTest {
  if (bytes === 1) return (flow) => flow.has(slot) && flow.uint8(slot) === wanted;
  if (bytes === 2) return (flow) => flow.has(slot) && flow.uint16(slot) === wanted;
  return (flow) => flow.has(slot) && flow.uint32(slot) === wanted;
}

/** The kernel does not send zone 0. */
function zoneTest(slot: number): (wanted: number) => FlowTest {
  return (wanted) => (flow) => (flow.has(slot) ? flow.uint16(slot) : 0) === wanted;
}

function maskedTest(slot: number, { value, mask }: MaskedValue): FlowTest {
  return (flow) => flow.has(slot) && (flow.uint32(slot) & mask) >>> 0 === value >>> 0;
}

function addressTest(slot: number, wanted: IpAddress, mask: IpAddress | undefined): FlowTest {
  const family = wanted.family === 4 ? 2 : 10;
  const bits = mask?.bytes ?? new Uint8Array(wanted.bytes.length).fill(0xff);
  const expected = wanted.bytes.map((byte, i) => byte & (bits[i] ?? 0));
  return (flow) => {
    if (flow.family !== family || !flow.has(slot)) return false;
    const from = flow.at[slot]!;
    for (let i = 0; i < expected.length; i++) {
      if ((flow.bytes[from + i]! & bits[i]!) !== expected[i]!) return false;
    }
    return true;
  };
}

function isSourceNat(flow: MessageIndex, wanted: NatPattern): boolean {
  const { original, reply } = direction;
  if (!hasStatus(flow, flowStatus.sourceNatDone)) return false;
  return isTranslated(
    flow,
    [reply + part.destination, original + part.source],
    [reply + part.destinationPort, original + part.sourcePort],
    wanted,
  );
}

function isDestinationNat(flow: MessageIndex, wanted: NatPattern): boolean {
  const { original, reply } = direction;
  if (!hasStatus(flow, flowStatus.destinationNatDone)) return false;
  return isTranslated(
    flow,
    [reply + part.source, original + part.destination],
    [reply + part.sourcePort, original + part.destinationPort],
    wanted,
  );
}

/**
 * Each pair is what answers show and what the flow itself has. An address or port that is named
 * must have changed.
 */
function isTranslated(
  flow: MessageIndex,
  addresses: readonly [number, number],
  ports: readonly [number, number],
  { address, port }: NatPattern,
): boolean {
  const newAddress = addressesDiffer(flow, ...addresses);
  const newPort = portsDiffer(flow, ...ports);
  if (address === undefined && port === undefined) return newAddress || newPort;
  if (address !== undefined) {
    if (!newAddress || !addressTest(addresses[0], address, undefined)(flow)) return false;
  }
  return port === undefined || (newPort && numberTest(ports[0], 2, port)(flow));
}

function portsDiffer(flow: MessageIndex, one: number, other: number): boolean {
  return flow.has(one) && flow.has(other) && flow.uint16(one) !== flow.uint16(other);
}

function labelTest(wanted: Uint8Array): FlowTest {
  const bits = Array.from({ length: 8 * labelBytes }, (_, bit) => bit).filter((bit) =>
    hasBit(wanted, bit),
  );
  return (flow) => {
    const set = labelBits(flow);
    return bits.every((bit) => hasBit(set, bit));
  };
}
