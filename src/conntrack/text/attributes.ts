/**
 * Walks netlink attributes for listings: number -> payload, nests opened on demand. Lengths are
 * checked; an attribute that overruns its container throws DecodeError, unknown numbers are simply
 * never asked for.
 */
import { ByteReader } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';

const typeMask = 0x3fff;

export class Attributes {
  readonly #payloads = new Map<number, Uint8Array>();

  /** A repeated attribute: the last one wins, as in the kernel. */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    while (reader.remaining >= 4) {
      const length = reader.uint16Host();
      const type = reader.uint16Host() & typeMask;
      if (length < 4) {
        throw new DecodeError('attribute-length', `attribute ${type} has length ${length}`, {
          type,
        });
      }
      this.#payloads.set(type, reader.bytes(length - 4));
      reader.skip(Math.min((4 - (length & 3)) & 3, reader.remaining));
    }
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#payloads.get(type);
  }

  has(type: number): boolean {
    return this.#payloads.has(type);
  }

  /** The nest's attributes; an absent nest is an empty one. */
  nest(type: number): Attributes {
    return new Attributes(this.#payloads.get(type) ?? new Uint8Array(0));
  }

  uint8(type: number): number | undefined {
    return this.#read(type, (reader) => reader.uint8());
  }

  uint16(type: number): number | undefined {
    return this.#read(type, (reader) => reader.uint16());
  }

  uint32(type: number): number | undefined {
    return this.#read(type, (reader) => reader.uint32());
  }

  uint64(type: number): bigint | undefined {
    return this.#read(type, (reader) => reader.uint64());
  }

  /** Text up to the first NUL. */
  string(type: number): string | undefined {
    const payload = this.#payloads.get(type);
    if (payload === undefined) return undefined;
    const end = payload.indexOf(0);
    return printable(Buffer.from(end < 0 ? payload : payload.subarray(0, end)).toString('latin1'));
  }

  #read<T>(type: number, read: (reader: ByteReader) => T): T | undefined {
    const payload = this.#payloads.get(type);
    return payload === undefined ? undefined : read(new ByteReader(payload));
  }
}
