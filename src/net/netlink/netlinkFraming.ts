/**
 * Netlink messages and attributes (linux/netlink.h), for any protocol on top. Walking is by offset
 * and allocates nothing per message. All fields are in host order (little endian); messages and
 * attributes start at multiples of 4.
 *
 *    0 u32 length (header and body, without padding) | 4 u16 type | 6 u16 flags
 *    8 u32 sequence number                           | 12 u32 port id            | 16 body
 */
import { BugError, DecodeError } from '../../base/errors.js';

export const netlinkHeaderBytes = 16;
export const attributeHeaderBytes = 4;

/** nlmsg_type below 16 (NLMSG_*). */
export const netlinkType = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** nlmsg_flags (NLM_F_*); some values mean different things in requests and in answers. */
export const netlinkFlag = {
  request: 0x001,
  multi: 0x002,
  ack: 0x004,
  echo: 0x008,
  dumpInterrupted: 0x010,
  dumpFiltered: 0x020,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** On NLMSG_ERROR: only the header of the request is echoed. */
  capped: 0x100,
  /** On NLMSG_ERROR: extended acknowledgement attributes follow. */
  ackAttributes: 0x200,
} as const;

/** NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const attributeTypeMask = 0x3fff;

/** Rounds up to a multiple of 4 (NLMSG_ALIGN, NLA_ALIGN). */
export function align4(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Where one message lies in `bytes`. `end` excludes padding; `next` is where the following one
 * starts.
 */
export interface NetlinkMessage {
  start: number;
  end: number;
  next: number;
  type: number;
  flags: number;
  sequence: number;
  portId: number;
}

/**
 * Walks the messages of one datagram. One walker is reused for all datagrams: `reset` points it at
 * new bytes, `step` fills `message` and tells whether there was one.
 */
export class NetlinkWalker {
  readonly message: NetlinkMessage = {
    start: 0,
    end: 0,
    next: 0,
    type: 0,
    flags: 0,
    sequence: 0,
    portId: 0,
  };
  #view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;

  /** `start` and `end` are offsets into `view`. */
  reset(view: DataView, start = 0, end: number = view.byteLength): void {
    if (start < 0 || end > view.byteLength || start > end) {
      throw new BugError('range outside the view', { start, end, bytes: view.byteLength });
    }
    this.#view = view;
    this.#end = end;
    this.message.next = start;
  }

  /**
   * Throws DecodeError when a length is below 16 or beyond the datagram. Less than a header ends
   * the walk.
   */
  step(): boolean {
    const message = this.message;
    const start = message.next;
    const left = this.#end - start;
    if (left <= 0) return false;
    if (left < netlinkHeaderBytes) throw badLength('message', start, left, left);
    const length = this.#view.getUint32(start, true);
    if (length < netlinkHeaderBytes || length > left) {
      throw badLength('message', start, length, left);
    }
    message.start = start;
    message.end = start + length;
    message.next = start + align4(length);
    message.type = this.#view.getUint16(start + 4, true);
    message.flags = this.#view.getUint16(start + 6, true);
    message.sequence = this.#view.getUint32(start + 8, true);
    message.portId = this.#view.getUint32(start + 12, true);
    return true;
  }
}

/** NLMSG_ERROR: an acknowledgement when `errno` is 0. */
export interface NetlinkAnswer {
  /** 0 or a positive errno. */
  readonly errno: number;
  /** Sequence number of the request that this answers. */
  readonly sequence: number;
  /**
   * Extended acknowledgement: the kernel's text, and the offset of the bad attribute in the
   * request.
   */
  readonly text: string | undefined;
  readonly badOffset: number | undefined;
}

/**
 * Decodes NLMSG_ERROR and NLMSG_DONE between `message.start` and `message.end`: s32 negative errno
 * | header of the request | (not capped: its body) | ext-ack attributes 1 text, 2 offset. Throws
 * DecodeError when it is too short. NLMSG_DONE has only the number.
 */
export function decodeNetlinkAnswer(view: DataView, message: NetlinkMessage): NetlinkAnswer {
  const body = message.start + netlinkHeaderBytes;
  if (message.end - body < 4) throw badLength('status', body, message.end - body, 4);
  const errno = 0 - view.getInt32(body, true);
  if (message.type === netlinkType.done) {
    return { errno, sequence: message.sequence, text: undefined, badOffset: undefined };
  }
  if (message.end - body < 4 + netlinkHeaderBytes) {
    throw badLength('answer', body, message.end - body, 4 + netlinkHeaderBytes);
  }
  const sequence = view.getUint32(body + 12, true);
  const extended = extendedStart(view, message, body);
  let text: string | undefined;
  let badOffset: number | undefined;
  if (extended !== undefined) {
    forEachAttribute(view, extended, message.end, (type, start, end) => {
      if (type === 1) text = decodeText(view, start, end);
      else if (type === 2 && end - start >= 4) badOffset = view.getUint32(start, true);
    });
  }
  return { errno, sequence, text, badOffset };
}

/** Where the ext-ack attributes start; undefined when there are none. */
function extendedStart(view: DataView, message: NetlinkMessage, body: number): number | undefined {
  if ((message.flags & netlinkFlag.ackAttributes) === 0) return undefined;
  const isCapped = (message.flags & netlinkFlag.capped) !== 0;
  const echoed = isCapped ? netlinkHeaderBytes : align4(view.getUint32(body + 4, true));
  const start = body + 4 + echoed;
  if (echoed < netlinkHeaderBytes || start > message.end) {
    throw badLength('echoed request', body, echoed, message.end - body);
  }
  return start;
}

/**
 * Visits the attributes between `start` and `end`: type without flag bits, and the range of the
 * payload. Trailing bytes fewer than an attribute header are ignored, as the kernel does. Throws
 * DecodeError when a length is below 4 or beyond `end`.
 */
export function forEachAttribute(
  view: DataView,
  start: number,
  end: number,
  visit: (type: number, payloadStart: number, payloadEnd: number) => void,
): void {
  let at = start;
  while (end - at >= attributeHeaderBytes) {
    const length = view.getUint16(at, true);
    if (length < attributeHeaderBytes || length > end - at) {
      throw badLength('attribute', at, length, end - at);
    }
    visit(view.getUint16(at + 2, true) & attributeTypeMask, at + attributeHeaderBytes, at + length);
    at += align4(length);
  }
}

/** Text up to its NUL. */
function decodeText(view: DataView, start: number, end: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
  const nul = bytes.indexOf(0);
  return Buffer.from(nul < 0 ? bytes : bytes.subarray(0, nul)).toString('utf8');
}

function badLength(what: string, offset: number, length: number, available: number): DecodeError {
  return new DecodeError('length', `netlink ${what} length`, { offset, length, available });
}
