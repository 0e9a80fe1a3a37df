/** Netlink messages written by hand, for what the product only reads. */
import { BugError } from '../../../src/base/errors.js';
import {
  align4,
  attributeHeaderBytes,
  netlinkHeaderBytes,
} from '../../../src/net/netlink/netlinkFraming.js';

/** NLA_F_NESTED. */
const attributeNested = 0x8000;

/**
 * Writes messages one after the other into `bytes`, padding with zeros. Lengths are patched when a
 * message or a nest ends. Throws BugError when the memory does not suffice.
 */
export class NetlinkBuilder {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #offset = 0;
  #messageStart = 0;

  constructor(memory: Uint8Array | number) {
    this.bytes = typeof memory === 'number' ? new Uint8Array(memory) : memory;
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** Bytes written. */
  get offset(): number {
    return this.#offset;
  }

  /** Forgets what was written; the memory is used again. */
  reset(): this {
    this.#offset = 0;
    return this;
  }

  beginMessage(type: number, flags: number, sequence: number, portId = 0): this {
    const at = this.#take(netlinkHeaderBytes);
    this.#messageStart = at;
    this.view.setUint16(at + 4, type, true);
    this.view.setUint16(at + 6, flags, true);
    this.view.setUint32(at + 8, sequence, true);
    this.view.setUint32(at + 12, portId, true);
    return this;
  }

  /** Sets the length of the message begun last. */
  endMessage(): this {
    this.view.setUint32(this.#messageStart, this.#offset - this.#messageStart, true);
    return this;
  }

  /** Body bytes after the header (nfgenmsg, ifaddrmsg ...), padded to 4. */
  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#take(bytes.length));
    return this;
  }

  attribute(type: number, payload: Uint8Array): this {
    const at = this.#attribute(type, payload.length);
    this.bytes.set(payload, at);
    return this;
  }

  uint8(type: number, value: number): this {
    this.bytes[this.#attribute(type, 1)] = value;
    return this;
  }

  /** Network order, as ctnetlink wants it. */
  uint16(type: number, value: number): this {
    this.view.setUint16(this.#attribute(type, 2), value);
    return this;
  }

  /** Network order. */
  uint32(type: number, value: number): this {
    this.view.setUint32(this.#attribute(type, 4), value);
    return this;
  }

  /** Host order, as rtnetlink wants it. */
  uint32Host(type: number, value: number): this {
    this.view.setUint32(this.#attribute(type, 4), value, true);
    return this;
  }

  /** With a terminating NUL. */
  text(type: number, value: string): this {
    return this.attribute(type, Buffer.from(`${value}\0`, 'utf8'));
  }

  /** Starts a nest and returns its handle for endNest. NLA_F_NESTED is set. */
  beginNest(type: number): number {
    return this.#attribute(type | attributeNested, 0) - attributeHeaderBytes;
  }

  endNest(nest: number): this {
    this.view.setUint16(nest, this.#offset - nest, true);
    return this;
  }

  /** All messages so far, sharing memory. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.#offset);
  }

  /** Returns where the payload starts. */
  #attribute(type: number, payloadBytes: number): number {
    const at = this.#take(attributeHeaderBytes + payloadBytes);
    this.view.setUint16(at, attributeHeaderBytes + payloadBytes, true);
    this.view.setUint16(at + 2, type, true);
    return at + attributeHeaderBytes;
  }

  /** Reserves `length` bytes and their padding, all zero. */
  #take(length: number): number {
    const at = this.#offset;
    const padded = align4(length);
    if (padded > this.bytes.length - at) {
      throw new BugError('netlink message does not fit', { offset: at, needed: padded });
    }
    this.bytes.fill(0, at, at + padded);
    this.#offset = at + padded;
    return at;
  }
}
