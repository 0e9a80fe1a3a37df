/** Requests of the `conntrack` command about expectations (enum ctattr_expect). */
import type { IpAddress } from '../../base/ipAddress.js';
import { messageFlag, messageType } from '../constants.js';
import type { MessageBatch } from '../codec/messageBatch.js';
import { isIcmp } from '../text/names.js';
import { encodeTuple } from './flowEncode.js';
import { hasPortParts, type TuplePattern } from './flowPattern.js';

/** What `-I expect` says. */
export interface ExpectationPattern {
  readonly family: number;
  /** Original tuple of the flow that brings the expected one. */
  readonly master: TuplePattern;
  readonly tuple: TuplePattern;
  readonly mask: TuplePattern;
  readonly timeoutSeconds: number;
}

/** CTA_EXPECT_*. */
const cta = { master: 1, tuple: 2, mask: 3, timeout: 4 } as const;

export function encodeExpectationList(out: MessageBatch, family: number): void {
  out.begin(messageType.expectationGet, messageFlag.request | messageFlag.dump, 1, family);
  out.finish();
}

export function encodeExpectationGet(out: MessageBatch, family: number, tuple: TuplePattern): void {
  encodeNamed(out, messageType.expectationGet, family, tuple);
}

export function encodeExpectationDelete(
  out: MessageBatch,
  family: number,
  tuple: TuplePattern,
): void {
  encodeNamed(out, messageType.expectationDelete, family, tuple);
}

export function encodeExpectationCreate(out: MessageBatch, pattern: ExpectationPattern): void {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.exclusive;
  out.begin(messageType.expectationNew, flags, 1, pattern.family);
  encodeTuple(out, cta.master, whole(pattern.master));
  encodeTuple(out, cta.tuple, whole(pattern.tuple));
  encodeTuple(out, cta.mask, whole({ ...pattern.mask, ...protocolOf(pattern.tuple) }));
  out.u32(cta.timeout, pattern.timeoutSeconds);
  out.finish();
}

export function encodeExpectationFlush(out: MessageBatch): void {
  out.begin(messageType.expectationDelete, messageFlag.request | messageFlag.ack, 1, 0);
  out.finish();
}

function encodeNamed(out: MessageBatch, type: number, family: number, tuple: TuplePattern): void {
  out.begin(type, messageFlag.request | messageFlag.ack, 1, family);
  encodeTuple(out, cta.tuple, whole(tuple));
  out.finish();
}

/** The kernel wants ports, or type, code and id, where the protocol has them. */
function whole(tuple: TuplePattern): TuplePattern {
  const protocol = tuple.protocol ?? 0;
  if (hasPortParts(protocol)) return { sourcePort: 0, destinationPort: 0, ...tuple };
  return isIcmp(protocol) ? { icmpType: 0, icmpCode: 0, icmpId: 0, ...tuple } : tuple;
}

function protocolOf({ protocol }: TuplePattern): { protocol?: number } {
  return protocol === undefined ? {} : { protocol };
}

/** The mask of an address of this family that compares all its bits. */
export function fullMask(family: number): IpAddress {
  const bytes = new Uint8Array(family === 10 ? 16 : 4).fill(0xff);
  return { family: family === 10 ? 6 : 4, bytes };
}
