/**
 * Where the parts of one ctnetlink flow message lie: one offset per attribute, found in a single
 * walk, so that filters compare bytes and writers copy them without an object per flow. Offsets
 * stand in `at`, 0 where the message lacks the attribute. Nothing of a message is copied: an index
 * is valid as long as its bytes.
 *
 *   at:  original (12 places) | reply (12 places) | everything else
 */
import { DecodeError } from '../../base/errors.js';
import { hasFastHeaders4 } from '../codec/tupleCodec.js';

/** Places of one direction, from `direction.original` or `direction.reply`. */
export const part = {
  source: 0,
  destination: 1,
  protocol: 2,
  /** Port, or key of GRE. */
  sourcePort: 3,
  destinationPort: 4,
  icmpId: 5,
  icmpType: 6,
  icmpCode: 7,
  zone: 8,
  packets: 9,
  bytes: 10,
} as const;

export const direction = { original: 1, reply: 13 } as const;

/** Places of what belongs to no direction. */
export const place = {
  status: 25,
  timeout: 26,
  mark: 27,
  secmark: 28,
  securityContext: 29,
  zone: 30,
  start: 31,
  stop: 32,
  helper: 33,
  use: 34,
  id: 35,
  labels: 36,
  state: 37,
  originalTag: 38,
  replyTag: 39,
  dccpRole: 40,
} as const;

const places = 41;
const headersLength = 20;

/**
 * What is understood of one nest: by attribute number, a place and the bytes that it must have, or
 * the nest below. Packed into one number each, since every attribute of every flow of a listing is
 * looked up here.
 *
 *   place: 8 bits | bytes: 8 bits | number of the nest: 8 bits | isLast: 1 bit
 */
type Rows = Int32Array;

/** All nests; a row names the one below it by its index, 0 for none. */
const nests: Rows[] = [new Int32Array(0)];

const lastRow = 1 << 24;

function rows(table: Readonly<Record<number, number>>): Rows {
  const list = new Int32Array(28);
  for (const [number, row] of Object.entries(table)) list[Number(number)] = row;
  return list;
}

const value = (at: number, bytes: number): number => at | (bytes << 8);
/** Behind this one nothing of the nest is needed. */
const lastValue = (at: number, bytes: number): number => value(at, bytes) | lastRow;
const nest = (table: Readonly<Record<number, number>>): number =>
  (nests.push(rows(table)) - 1) << 16;

function tupleRow(base: number, isIpv6: boolean): number {
  const bytes = isIpv6 ? 16 : 4;
  const first = isIpv6 ? 3 : 1;
  return nest({
    1: nest({
      [first]: value(base + part.source, bytes),
      [first + 1]: value(base + part.destination, bytes),
    }),
    2: nest({
      1: value(base + part.protocol, 1),
      2: value(base + part.sourcePort, 2),
      3: value(base + part.destinationPort, 2),
      4: value(base + part.icmpId, 2),
      5: value(base + part.icmpType, 1),
      6: value(base + part.icmpCode, 1),
      7: value(base + part.icmpId, 2),
      8: value(base + part.icmpType, 1),
      9: value(base + part.icmpCode, 1),
    }),
    3: value(base + part.zone, 2),
  });
}

const counters = (base: number): number =>
  nest({ 1: value(base + part.packets, 8), 2: value(base + part.bytes, 8) });

/** Attribute numbers: linux/netfilter/nfnetlink_conntrack.h. */
const topRows = (isIpv6: boolean): Rows =>
  rows({
    1: tupleRow(direction.original, isIpv6),
    2: tupleRow(direction.reply, isIpv6),
    3: value(place.status, 4),
    4: nest({
      1: nest({ 1: lastValue(place.state, 1) }),
      2: nest({ 1: value(place.state, 1), 2: value(place.dccpRole, 1) }),
      3: nest({
        1: value(place.state, 1),
        2: value(place.originalTag, 4),
        3: value(place.replyTag, 4),
      }),
    }),
    5: nest({ 1: value(place.helper, 1) }),
    7: value(place.timeout, 4),
    8: value(place.mark, 4),
    9: counters(direction.original),
    10: counters(direction.reply),
    11: value(place.use, 4),
    12: value(place.id, 4),
    17: value(place.secmark, 4),
    18: value(place.zone, 2),
    19: nest({ 1: value(place.securityContext, 1) }),
    20: nest({ 1: value(place.start, 8), 2: value(place.stop, 8) }),
    22: value(place.labels, 1),
  });

const rows4 = topRows(false);
const rows6 = topRows(true);

/** Lengths of a TCP or UDP tuple over IPv4, and where its parts lie. */
const originalNest4 = 0x80010034;
const replyNest4 = 0x80020034;

export class MessageIndex {
  readonly at = new Int32Array(places);
  view: DataView = new DataView(new ArrayBuffer(0));
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the message lies in `bytes`. */
  start = 0;
  end = 0;
  /** AF_INET or AF_INET6. */
  family = 0;

  /**
   * Reads the message at [at, at + length) of `bytes`, which `view` shows too. Errors: DecodeError
   * for bytes that the kernel would not send.
   */
  read(view: DataView, bytes: Uint8Array, at: number, length: number): void {
    if (length < headersLength || at + length > view.byteLength) {
      throw new DecodeError('truncated', 'ctnetlink message is shorter than its headers', {
        length,
      });
    }
    this.view = view;
    this.bytes = bytes;
    this.start = at;
    this.end = at + length;
    this.family = view.getUint8(at + 16);
    const places = this.at;
    for (let i = 0; i < places.length; i++) places[i] = 0;
    const from = at + headersLength;
    this.#walk(this.#tuples4(from), this.end, this.family === 10 ? rows6 : rows4);
    if (this.at[direction.original + part.protocol] === 0) {
      throw new DecodeError('tuple-missing', 'conntrack message without CTA_TUPLE_ORIG');
    }
  }

  uint8(slot: number): number {
    return this.view.getUint8(this.at[slot]!);
  }

  uint16(slot: number): number {
    return this.view.getUint16(this.at[slot]!);
  }

  uint32(slot: number): number {
    return this.view.getUint32(this.at[slot]!);
  }

  uint64(slot: number): bigint {
    return this.view.getBigUint64(this.at[slot]!);
  }

  has(slot: number): boolean {
    return this.at[slot] !== 0;
  }

  /** Payload bytes of an attribute that is there. */
  lengthOf(slot: number): number {
    return this.view.getUint16(this.at[slot]! - 4, true) - 4;
  }

  /** Text up to the first NUL. */
  text(slot: number): string {
    const from = this.at[slot]!;
    const payload = this.bytes.subarray(from, from + this.lengthOf(slot));
    const end = payload.indexOf(0);
    return Buffer.from(end < 0 ? payload : payload.subarray(0, end)).toString('latin1');
  }

  /**
   * Both tuples of TCP and UDP over IPv4 as nearly every message begins; returns the offset behind
   * them.
   */
  #tuples4(from: number): number {
    const reply = from + 52;
    const { view, at } = this;
    if (
      this.family !== 2 ||
      this.end - reply < 52 ||
      view.getUint32(from, true) !== originalNest4 ||
      view.getUint32(reply, true) !== replyNest4 ||
      !hasFastHeaders4(view, from + 4) ||
      !hasFastHeaders4(view, reply + 4)
    ) {
      return from;
    }
    for (let base = direction.original as number, nested = from; ; nested = reply) {
      at[base + part.source] = nested + 12;
      at[base + part.destination] = nested + 20;
      at[base + part.protocol] = nested + 32;
      at[base + part.sourcePort] = nested + 40;
      at[base + part.destinationPort] = nested + 48;
      if (base === direction.reply) return reply + 52;
      base = direction.reply;
    }
  }

  #walk(from: number, end: number, table: Rows): void {
    const { view, at } = this;
    for (let header = from; header + 4 <= end;) {
      const word = view.getUint32(header, true);
      const length = word & 0xffff;
      if (length < 4 || header + length > end) {
        throw new DecodeError('truncated', 'netlink attribute overruns its container', { length });
      }
      const type = (word >>> 16) & 0x3fff;
      const row = type < table.length ? table[type]! : 0;
      if (row > 0xffff && row < lastRow) {
        this.#walk(header + 4, header + length, nests[row >>> 16]!);
      } else if (row !== 0) {
        if (length - 4 < ((row >>> 8) & 0xff)) {
          throw new DecodeError('truncated', 'netlink attribute is shorter than its type');
        }
        at[row & 0xff] = header + 4;
        if (row >= lastRow) return;
      }
      header += (length + 3) & ~3;
    }
  }
}
