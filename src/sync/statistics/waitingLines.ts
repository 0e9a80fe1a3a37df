/**
 * Lines that wait for a slow disk, bounded. They stand in chunks of memory, so that what waits is
 * what is counted; a block of lines that finds no room is lost as a whole, and what is written
 * never ends in the midst of a line. A chunk is one write: the more wait, the larger the next is.
 */

const chunkBytes = 65_536;
/** Each one that waits doubles the next, up to 1 MiB. */
const mostDoublings = 4;

interface Chunk {
  readonly bytes: Uint8Array;
  length: number;
  /** Lines that end in it, and those of them that are written. */
  lines: number;
  written: number;
}

/** A part of a chunk that is to be written: `bytes` from `from` to `to`. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export class WaitingLines {
  readonly #limit: number;
  readonly #chunks: Chunk[] = [];
  /** Written bytes of the first chunk. */
  #offset = 0;
  #memory = 0;
  #accepted = 0;
  #written = 0;
  #lost = 0;

  /** `limit`: bytes of memory; at least one chunk is kept. */
  constructor(limit: number) {
    this.#limit = Math.max(limit, chunkBytes);
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Lines. */
  get counts(): { readonly written: number; readonly lost: number; readonly waiting: number } {
    const written = this.#written;
    return { written, lost: this.#lost, waiting: this.#accepted - written };
  }

  /** Copies `lines` whole lines; false where there is no room for them. */
  append(bytes: Uint8Array, lines: number): boolean {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.bytes.length - chunk.length < bytes.length) {
      const room = this.#limit - this.#memory;
      const wanted = chunkBytes << Math.min(this.#chunks.length, mostDoublings);
      const size = Math.max(Math.min(wanted, room), chunkBytes, bytes.length);
      if (this.#memory > 0 && this.#memory + size > this.#limit) {
        this.#lost += lines;
        return false;
      }
      chunk = { bytes: new Uint8Array(size), length: 0, lines: 0, written: 0 };
      this.#chunks.push(chunk);
      this.#memory += size;
    }
    chunk.bytes.set(bytes, chunk.length);
    chunk.length += bytes.length;
    chunk.lines += lines;
    this.#accepted += lines;
    return true;
  }

  /** What is to be written next; undefined where nothing waits. */
  next(): Piece | undefined {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return undefined;
    return { bytes: chunk.bytes, from: this.#offset, to: chunk.length };
  }

  /** `count` bytes of the next piece are written. */
  wrote(count: number): void {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return;
    this.#offset += count;
    const done = this.#offset === chunk.length ? chunk.lines : this.#linesBefore(chunk);
    this.#written += done - chunk.written;
    chunk.written = done;
    if (this.#offset < chunk.length) return;
    this.#chunks.shift();
    this.#memory -= chunk.bytes.length;
    this.#offset = 0;
  }

  /** Another file follows: a line whose beginning stands in the last one is written as a whole. */
  toLineStart(): void {
    const [chunk] = this.#chunks;
    if (chunk === undefined || this.#offset === 0) return;
    this.#offset = chunk.bytes.lastIndexOf(0x0a, this.#offset - 1) + 1;
  }

  /** Gives up what waits. */
  clear(): void {
    const { waiting } = this.counts;
    this.#lost += waiting;
    this.#accepted -= waiting;
    this.#chunks.length = 0;
    this.#memory = 0;
    this.#offset = 0;
  }

  #linesBefore({ bytes }: Chunk): number {
    let lines = 0;
    for (let i = 0; i < this.#offset; i++) if (bytes[i] === 0x0a) lines++;
    return lines;
  }
}
