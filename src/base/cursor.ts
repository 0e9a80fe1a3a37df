/**
 * Bounds-checked reading and writing of bytes. A read past the end throws DecodeError, a write past
 * the end throws BugError; neither ever returns fewer bytes than asked. Big endian unless the name
 * says `Host` (little endian: keepstate runs on little-endian machines only, see docs/decisions).
 */
import { BugError, DecodeError } from './errors.js';

/** Reads forward through `bytes`. Slices share memory with the input. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  uint16Host(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  uint32Host(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  int32Host(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  /** `length` bytes, sharing memory with the input. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length < 0 || length > this.#bytes.length - start) {
      throw new DecodeError(
        'truncated',
        `needs ${length} bytes at ${start}, has ${this.remaining}`,
        {
          offset: start,
          needed: length,
          remaining: this.remaining,
        },
      );
    }
    this.#offset = start + length;
    return start;
  }
}

/** Writes forward into a buffer of fixed size. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(target: Uint8Array | number) {
    this.#bytes = typeof target === 'number' ? new Uint8Array(target) : target;
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  uint8(value: number): this {
    this.#view.setUint8(this.#take(1), value);
    return this;
  }

  uint16(value: number): this {
    this.#view.setUint16(this.#take(2), value);
    return this;
  }

  uint32(value: number): this {
    this.#view.setUint32(this.#take(4), value);
    return this;
  }

  uint64(value: bigint): this {
    this.#view.setBigUint64(this.#take(8), value);
    return this;
  }

  uint16Host(value: number): this {
    this.#view.setUint16(this.#take(2), value, true);
    return this;
  }

  uint32Host(value: number): this {
    this.#view.setUint32(this.#take(4), value, true);
    return this;
  }

  int32Host(value: number): this {
    this.#view.setInt32(this.#take(4), value, true);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#take(value.length));
    return this;
  }

  zeros(length: number): this {
    const start = this.#take(length);
    this.#bytes.fill(0, start, start + length);
    return this;
  }

  /** Overwrites two bytes that were written before (lengths, checksums). */
  patchUint16(offset: number, value: number): this {
    if (offset + 2 > this.#offset) throw new BugError('patch beyond what was written', { offset });
    this.#view.setUint16(offset, value);
    return this;
  }

  /** What was written so far, sharing memory with the target. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#offset);
  }

  #take(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.length - start) {
      throw new BugError('write past the end', { offset: start, needed: length });
    }
    this.#offset = start + length;
    return start;
  }
}
