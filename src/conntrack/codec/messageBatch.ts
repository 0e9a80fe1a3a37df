/**
 * Netlink messages written one behind the other into one fixed buffer, which a single send() hands
 * to the kernel. Writes past the end throw RangeError; `hasRoom` is asked before each message.
 *
 *   nlmsghdr: length u32, type u16, flags u16, sequence u32, port id u32 (host order)
 *   nfgenmsg: family u8, version u8, resource id be16
 *   attributes: length u16, type u16 (host order), payload, padding to 4
 */
const nested = 0x8000;

export class MessageBatch {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Start of each message, for sendmmsg-like callers and tests. */
  #start = 0;
  #end = 0;
  #count = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Bytes written. */
  get length(): number {
    return this.#end;
  }

  /** Messages finished. */
  get count(): number {
    return this.#count;
  }

  /** What was written, sharing memory. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.#end);
  }

  hasRoom(bytes: number): boolean {
    return this.bytes.length - this.#end >= bytes;
  }

  clear(): void {
    this.#end = 0;
    this.#count = 0;
  }

  /** Starts a message; `finish` completes it. */
  begin(type: number, flags: number, sequence: number, family: number, version = 0): void {
    const view = this.#view;
    const at = this.#end;
    this.#start = at;
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, flags, true);
    view.setUint32(at + 8, sequence, true);
    view.setUint32(at + 12, 0, true);
    view.setUint32(at + 16, family | (version << 8), true);
    this.#end = at + 20;
  }

  finish(): void {
    this.#view.setUint32(this.#start, this.#end - this.#start, true);
    this.#count++;
  }

  /** Returns a token for `closeNest`. */
  openNest(type: number): number {
    const at = this.#end;
    this.#view.setUint32(at, (type | nested) << 16, true);
    this.#end = at + 4;
    return at;
  }

  closeNest(token: number): void {
    this.#view.setUint16(token, this.#end - token, true);
  }

  /** Closes a nest, or removes it where nothing was written into it. */
  closeNestUnlessEmpty(token: number): void {
    if (this.#end === token + 4) this.#end = token;
    else this.closeNest(token);
  }

  u8(type: number, value: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | 5, true);
    this.#view.setUint32(at + 4, value & 0xff, true);
    this.#end = at + 8;
  }

  /** Two bytes, the second of which is a mask. */
  flags(type: number, value: number, mask: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | 6, true);
    this.#view.setUint32(at + 4, (value & 0xff) | ((mask & 0xff) << 8), true);
    this.#end = at + 8;
  }

  u16(type: number, value: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | 6, true);
    this.#view.setUint32(at + 4, value << 16, false);
    this.#end = at + 8;
  }

  u32(type: number, value: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | 8, true);
    this.#view.setUint32(at + 4, value, false);
    this.#end = at + 8;
  }

  u64(type: number, high: number, low: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | 12, true);
    this.#view.setUint32(at + 4, high, false);
    this.#view.setUint32(at + 8, low, false);
    this.#end = at + 12;
  }

  /** `count` words as they stand in memory: addresses, labels. */
  raw(type: number, words: Uint32Array, from: number, count: number): void {
    const at = this.#end;
    this.#view.setUint32(at, (type << 16) | (4 + 4 * count), true);
    for (let i = 0; i < count; i++) this.#view.setUint32(at + 4 + 4 * i, words[from + i]!, true);
    this.#end = at + 4 + 4 * count;
  }

  /** Text with the NUL that the kernel demands. */
  text(type: number, name: Uint8Array): void {
    const at = this.#end;
    const length = name.length + 5;
    const padded = (length + 3) & ~3;
    this.#view.setUint32(at, (type << 16) | length, true);
    this.bytes.set(name, at + 4);
    this.bytes.fill(0, at + 4 + name.length, at + padded);
    this.#end = at + padded;
  }
}
