/**
 * Expectations (subsystem NFNL_SUBSYS_CTNETLINK_EXP, enum ctattr_expect) as plain objects: the
 * kernel holds at most nf_conntrack_expect_max of them, 4096 by default for the whole machine.
 */
import { DecodeError } from '../../base/errors.js';
import { messageFlag, messageType, netlinkFamily } from '../constants.js';
import {
  clearScratch,
  deriveReply,
  addressRole,
  presenceBit,
  recordWord,
  type FlowCursor,
} from '../record/flowRecord.js';
import type { MessageBatch } from './messageBatch.js';
import { checkedLength, decodeTuple, encodeTuple, need, TupleFields } from './tupleCodec.js';

/** Addresses are 4 or 16 bytes in network order, as hex text; ports as in the flow record. */
export interface ExpectationTuple {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** source << 16 | destination, unsigned; undefined where the protocol has none. */
  readonly ports: number | undefined;
}

export interface Expectation {
  readonly isIpv6: boolean;
  /** Original tuple of the master flow. */
  readonly master: ExpectationTuple;
  readonly tuple: ExpectationTuple;
  readonly mask: ExpectationTuple;
  readonly timeoutSeconds?: number;
  readonly id?: number;
  readonly helper?: string;
  readonly zone?: number;
  /** NF_CT_EXPECT_*: 1 PERMANENT, 2 INACTIVE, 4 USERSPACE. */
  readonly flags?: number;
  readonly class?: number;
  readonly nat?: { readonly direction: number; readonly tuple: ExpectationTuple };
  readonly functionName?: string;
}

const attribute = {
  master: 1,
  tuple: 2,
  mask: 3,
  timeout: 4,
  id: 5,
  helper: 6,
  zone: 7,
  flags: 8,
  class: 9,
  nat: 10,
  functionName: 11,
} as const;
const natAttribute = { direction: 1, tuple: 2 } as const;

type Draft = { -readonly [Key in keyof Expectation]?: Expectation[Key] };

const fields = new TupleFields();

/** `at` and `length` as for FlowDecoder.decode. Errors: DecodeError. */
export function decodeExpectation(view: DataView, at: number, length: number): Expectation {
  if (length < 20 || at + length > view.byteLength) {
    throw new DecodeError('truncated', 'expectation is shorter than its headers', { length });
  }
  const draft: Draft = { isIpv6: view.getUint8(at + 16) === netlinkFamily.ipv6 };
  forEach(view, at + 20, at + length, (type, from, size) => {
    readAttribute(draft, view, type, from, size);
  });
  const { isIpv6, master, tuple, mask } = draft;
  if (isIpv6 === undefined || master === undefined || tuple === undefined || mask === undefined) {
    throw new DecodeError('tuple-missing', 'expectation without master, tuple or mask');
  }
  return { ...draft, isIpv6, master, tuple, mask };
}

function readAttribute(draft: Draft, view: DataView, type: number, at: number, size: number): void {
  const isIpv6 = draft.isIpv6 === true;
  switch (type) {
    case attribute.master:
    case attribute.tuple:
    case attribute.mask: {
      const name =
        type === attribute.master ? 'master' : type === attribute.tuple ? 'tuple' : 'mask';
      draft[name] = readTuple(view, at, size, isIpv6);
      break;
    }
    case attribute.timeout:
      draft.timeoutSeconds = view.getUint32(need(at - 4, size + 4, 4));
      break;
    case attribute.id:
      draft.id = view.getUint32(need(at - 4, size + 4, 4));
      break;
    case attribute.helper:
      draft.helper = readText(view, at, size);
      break;
    case attribute.zone:
      draft.zone = view.getUint16(need(at - 4, size + 4, 2));
      break;
    case attribute.flags:
      draft.flags = view.getUint32(need(at - 4, size + 4, 4));
      break;
    case attribute.class:
      draft.class = view.getUint32(need(at - 4, size + 4, 4));
      break;
    case attribute.functionName:
      draft.functionName = readText(view, at, size);
      break;
    case attribute.nat:
      readNat(draft, view, at, size, isIpv6);
      break;
    default:
      break;
  }
}

function readNat(draft: Draft, view: DataView, at: number, size: number, isIpv6: boolean): void {
  let direction: number | undefined;
  let tuple: ExpectationTuple | undefined;
  forEach(view, at, at + size, (type, from, length) => {
    if (type === natAttribute.direction) direction = view.getUint32(need(from - 4, length + 4, 4));
    if (type === natAttribute.tuple) tuple = readTuple(view, from, length, isIpv6);
  });
  if (direction !== undefined && tuple !== undefined) draft.nat = { direction, tuple };
}

function readTuple(view: DataView, at: number, size: number, isIpv6: boolean): ExpectationTuple {
  decodeTuple(view, at, at + size, isIpv6, fields);
  if (!fields.hasSource || !fields.hasDestination) {
    throw new DecodeError('tuple-missing', 'expectation tuple without addresses');
  }
  return {
    source: hex(fields.source, isIpv6),
    destination: hex(fields.destination, isIpv6),
    protocol: Math.max(0, fields.protocol),
    ports: fields.hasPorts ? fields.ports >>> 0 : undefined,
  };
}

function hex(words: Uint32Array, isIpv6: boolean): string {
  return Buffer.from(words.buffer, words.byteOffset, isIpv6 ? 16 : 4).toString('hex');
}

function readText(view: DataView, at: number, size: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + at, size);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? size : end);
}

function forEach(
  view: DataView,
  from: number,
  end: number,
  visit: (type: number, at: number, size: number) => void,
): void {
  for (let at = from; at + 4 <= end;) {
    const length = checkedLength(view, at, end);
    visit(view.getUint16(at + 2, true) & 0x3fff, at + 4, length - 4);
    at += (length + 3) & ~3;
  }
}

/** IPCTNL_MSG_EXP_NEW with CREATE (and EXCL): all that is known but the id. */
export function encodeExpectationCreate(
  out: MessageBatch,
  expectation: Expectation,
  sequence: number,
  timeoutSeconds: number,
  flags = 0,
): void {
  begin(
    out,
    messageType.expectationNew,
    messageFlag.create | messageFlag.exclusive | flags,
    expectation,
    sequence,
  );
  writeTuple(out, attribute.master, expectation.master, expectation.isIpv6);
  writeTuple(out, attribute.tuple, expectation.tuple, expectation.isIpv6);
  writeTuple(out, attribute.mask, expectation.mask, expectation.isIpv6);
  out.u32(attribute.timeout, Math.max(1, timeoutSeconds));
  if (expectation.flags !== undefined) out.u32(attribute.flags, expectation.flags);
  if (expectation.zone !== undefined) out.u16(attribute.zone, expectation.zone);
  writeDetails(out, expectation);
  out.finish();
}

/** IPCTNL_MSG_EXP_DELETE by tuple. */
export function encodeExpectationDelete(
  out: MessageBatch,
  expectation: Expectation,
  sequence: number,
  flags = 0,
): void {
  begin(out, messageType.expectationDelete, flags, expectation, sequence);
  writeTuple(out, attribute.tuple, expectation.tuple, expectation.isIpv6);
  if (expectation.zone !== undefined) out.u16(attribute.zone, expectation.zone);
  out.finish();
}

export function encodeExpectationDump(out: MessageBatch, sequence: number): void {
  const flags = messageFlag.request | messageFlag.dump;
  out.begin(messageType.expectationGet, flags, sequence, netlinkFamily.any);
  out.finish();
}

export function encodeExpectationFlush(out: MessageBatch, sequence: number): void {
  const flags = messageFlag.request | messageFlag.ack;
  out.begin(messageType.expectationDelete, flags, sequence, netlinkFamily.any);
  out.finish();
}

function begin(
  out: MessageBatch,
  type: number,
  flags: number,
  expectation: Expectation,
  sequence: number,
): void {
  const family = expectation.isIpv6 ? netlinkFamily.ipv6 : netlinkFamily.ipv4;
  out.begin(type, messageFlag.request | flags, sequence, family);
}

/**
 * CLASS, NAT and FN too: without them the expected flow of a translated protocol is not translated.
 */
function writeDetails(out: MessageBatch, expectation: Expectation): void {
  if (expectation.class !== undefined) out.u32(attribute.class, expectation.class);
  if (expectation.helper !== undefined) {
    out.text(attribute.helper, Buffer.from(expectation.helper, 'latin1'));
  }
  if (expectation.nat !== undefined) {
    const nest = out.openNest(attribute.nat);
    out.u32(natAttribute.direction, expectation.nat.direction);
    writeTuple(out, natAttribute.tuple, expectation.nat.tuple, expectation.isIpv6);
    out.closeNest(nest);
  }
  if (expectation.functionName !== undefined) {
    out.text(attribute.functionName, Buffer.from(expectation.functionName, 'latin1'));
  }
}

function writeTuple(
  out: MessageBatch,
  type: number,
  tuple: ExpectationTuple,
  isIpv6: boolean,
): void {
  fields.clear(isIpv6);
  put(fields.source, tuple.source);
  put(fields.destination, tuple.destination);
  fields.protocol = tuple.protocol;
  fields.hasPorts = tuple.ports !== undefined;
  fields.ports = tuple.ports ?? 0;
  encodeTuple(out, type, fields);
}

function put(words: Uint32Array, address: string): void {
  const bytes = Buffer.from(address, 'hex');
  for (let i = 0; i < bytes.length / 4; i++) words[i] = bytes.readUInt32LE(4 * i);
}

/**
 * Puts the key of the master flow into `scratch`, with the plain inverse as reply tuple; returns
 * it.
 */
export function seekMaster(scratch: FlowCursor, { isIpv6, master, zone }: Expectation): FlowCursor {
  clearScratch(scratch);
  scratch.setKind(isIpv6, master.protocol);
  for (const [which, address] of [
    [addressRole.originalSource, master.source],
    [addressRole.originalDestination, master.destination],
  ] as const) {
    const bytes = Buffer.from(address, 'hex');
    for (let i = 0; i < bytes.length / 4; i++) {
      scratch.setAddressWord(which, i, bytes.readUInt32LE(4 * i));
    }
  }
  scratch.set(recordWord.originalPorts, master.ports ?? 0);
  if (master.ports !== undefined) scratch.learn(presenceBit.ports);
  scratch.set(recordWord.zone, zone ?? 0);
  if (zone !== undefined) scratch.learn(presenceBit.zone);
  deriveReply(scratch);
  return scratch;
}

/** Identity of an expectation: all but timeout and id (conntrackd 1.4.7 compares the same). */
export function expectationKey(expectation: Expectation): string {
  const text = (tuple: ExpectationTuple): string =>
    `${tuple.source} ${tuple.destination} ${tuple.protocol} ${tuple.ports ?? '-'}`;
  const { master, tuple, mask, zone } = expectation;
  return `${text(master)}|${text(tuple)}|${text(mask)}|${zone ?? 0}`;
}
