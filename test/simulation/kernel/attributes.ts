/**
 * Reads the attributes of a request as the kernel does: unknown ones are passed over, the last one
 * of a number wins.
 */
import { ERANGE } from '../../../src/base/errno.js';

/** A request that the kernel refuses. `errno` is positive. */
export class Refusal extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`refused with errno ${errno}`);
    this.errno = errno;
  }
}

/** The attributes of a message or of a nest. */
export class Attributes {
  readonly view: DataView;
  readonly #places = new Map<number, { readonly at: number; readonly length: number }>();

  /** What overruns `end` ends the reading; the rest is ignored. */
  constructor(view: DataView, from: number, end: number) {
    this.view = view;
    for (let at = from; at + 4 <= end;) {
      const length = view.getUint16(at, true);
      if (length < 4 || at + length > end) return;
      const type = view.getUint16(at + 2, true) & 0x3fff;
      this.#places.set(type, { at: at + 4, length: length - 4 });
      at += (length + 3) & ~3;
    }
  }

  has(type: number): boolean {
    return this.#places.has(type);
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }

  u8(type: number): number | undefined {
    const at = this.at(type, 1);
    return at === undefined ? undefined : this.view.getUint8(at);
  }

  u16(type: number): number | undefined {
    const at = this.at(type, 2);
    return at === undefined ? undefined : this.view.getUint16(at);
  }

  u32(type: number): number | undefined {
    const at = this.at(type, 4);
    return at === undefined ? undefined : this.view.getUint32(at);
  }

  /**
   * Offset of a payload of at least `length` bytes. Throws Refusal with ERANGE where it is shorter.
   */
  at(type: number, length: number): number | undefined {
    const place = this.#places.get(type);
    if (place === undefined) return undefined;
    if (place.length < length) throw new Refusal(ERANGE);
    return place.at;
  }

  nest(type: number): Attributes | undefined {
    const place = this.#places.get(type);
    if (place === undefined) return undefined;
    return new Attributes(this.view, place.at, place.at + place.length);
  }

  /** The payload, sharing memory with the request. */
  bytes(type: number): Uint8Array | undefined {
    const place = this.#places.get(type);
    if (place === undefined) return undefined;
    const { buffer, byteOffset } = this.view;
    return new Uint8Array(buffer, byteOffset + place.at, place.length);
  }
}
