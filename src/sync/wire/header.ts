/**
 * The header of a replication message (conntrackd 1.4.7, protocol version 1), and the walk through
 * the messages of a datagram with every check that conntrackd makes.
 *
 *    byte 0        byte 1     bytes 2-3 (BE)   bytes 4-7 (BE)      bytes 8-11   bytes 12-15
 *   +----+----+  +--------+  +-------------+  +---------------+  +------------+------------+
 *   |ver |type|  | flags  |  |    len      |  |     seq       |  |    from    |     to     |
 *   +----+----+  +--------+  +-------------+  +---------------+  +------------+------------+
 *                                                                 CTL with ACK, NACK, RESYNC only
 */
import { lifecycle } from '../../conntrack/record/flowRecord.js';

export const protocolVersion = 1;
export const headerBytes = 8;
export const rangeHeaderBytes = 16;

/** Message types, low nibble of byte 0. */
export const messageKind = {
  flowNew: 0,
  flowUpdate: 1,
  flowDelete: 2,
  expectationNew: 3,
  expectationUpdate: 4,
  expectationDelete: 5,
  control: 10,
} as const;

/** The last kind that carries an object. */
export const lastDataKind = 5;

export const headerFlag = {
  unused: 0x01,
  resync: 0x02,
  nack: 0x04,
  ack: 0x08,
  alive: 0x10,
  hello: 0x20,
  helloBack: 0x40,
} as const;

/** Control messages with one of these have a from/to range. */
export const rangeFlags = headerFlag.resync | headerFlag.nack | headerFlag.ack;
export const helloFlags = headerFlag.hello | headerFlag.helloBack;

/** Why a message was not taken, in the order of the checks; each has a counter. */
export const malformed = {
  truncated: 'truncated',
  size: 'size',
  version: 'version',
  header: 'header',
  payload: 'payload',
} as const;
export type MalformedReason = (typeof malformed)[keyof typeof malformed];

/** A received message, valid until the next step of the walk. */
export class MessageHeader {
  /** Offset of the message in the datagram. */
  at = 0;
  length = 0;
  kind = 0;
  flags = 0;
  /** Unsigned 32 bits. */
  sequence = 0;
  from = 0;
  to = 0;

  get isData(): boolean {
    return this.kind <= lastDataKind;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
}

/** Outcome of one step of the walk. */
export const walk = { message: 0, skip: 1, stop: 2 } as const;

/** Walks the messages of one datagram: `begin`, then `next` until it says stop. */
export class DatagramWalk {
  readonly header = new MessageHeader();
  /**
   * Why the last step was `skip`, or `stop` before the end of the datagram; undefined at the plain
   * end.
   */
  problem: MalformedReason | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #next = 0;
  #end = 0;

  /** `view` covers the datagram, from its first byte. */
  begin(view: DataView, length: number = view.byteLength): void {
    this.#view = view;
    this.#next = 0;
    this.#end = length;
    this.problem = undefined;
  }

  /** `skip` is a message that was refused while the rest of the datagram is still good. */
  next(): number {
    const at = this.#next;
    const left = this.#end - at;
    this.problem = undefined;
    if (left <= 0) return walk.stop;
    if (left < headerBytes) return this.#stop(malformed.truncated);
    const view = this.#view;
    const length = view.getUint16(at + 2);
    if (length === 0 || length > left) return this.#stop(malformed.size);
    const first = view.getUint8(at);
    const { header } = this;
    header.kind = first & 0x0f;
    header.flags = view.getUint8(at + 1);
    const hasRange = header.kind === messageKind.control && (header.flags & rangeFlags) !== 0;
    if (hasRange && left < rangeHeaderBytes) return this.#stop(malformed.truncated);
    if (length < (hasRange ? rangeHeaderBytes : headerBytes)) return this.#stop(malformed.size);
    this.#next = at + length;
    if (first >>> 4 !== protocolVersion) {
      this.problem = malformed.version;
      return walk.skip;
    }
    header.at = at;
    header.length = length;
    header.sequence = view.getUint32(at + 4);
    header.from = hasRange ? view.getUint32(at + 8) : 0;
    header.to = hasRange ? view.getUint32(at + 12) : 0;
    return walk.message;
  }

  #stop(reason: MalformedReason): number {
    this.problem = reason;
    return walk.stop;
  }
}

/** Writes the base header; `length` counts the header. */
export function writeHeader(
  view: DataView,
  at: number,
  kind: number,
  flags: number,
  length: number,
  sequence: number,
): void {
  view.setUint8(at, (protocolVersion << 4) | kind);
  view.setUint8(at + 1, flags);
  view.setUint16(at + 2, length);
  view.setUint32(at + 4, sequence);
}

/** The range of numbers that ACK, NACK and RESYNC carry, for the message at `at`. */
export function writeRange(view: DataView, at: number, from: number, to: number): void {
  view.setUint32(at + 8, from);
  view.setUint32(at + 12, to);
}

/** Messages that a change of links may swallow, and the stream goes on all the same. */
const mostSwallowed = 300;

/** Whether the first message of a datagram may be what follows number `last`. */
export function continuesStream(datagram: Uint8Array, last: number | undefined): boolean {
  if (last === undefined || datagram.length < headerBytes) return false;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const distance = sequenceDistance(view.getUint32(4), last);
  return distance > 0 && distance <= mostSwallowed;
}

/** a - b as a signed 32-bit difference: positive where `a` is later. */
export function sequenceDistance(a: number, b: number): number {
  return (a - b) | 0;
}

/**
 * The kind of message for a flow in this state of life; of an expectation, behind `expectationNew`.
 */
export function flowKindOf(life: number): number {
  if (life === lifecycle.dead) return messageKind.flowDelete;
  return life === lifecycle.fresh ? messageKind.flowNew : messageKind.flowUpdate;
}
