/**
 * Fixed-size records in slabs that are added one at a time, so that growing never copies: record
 * `i` is in slab i >> shift. Index 0 is never handed out. Freed records form a list through their
 * first word.
 */
export class RecordSlabs {
  readonly #recordWords: number;
  readonly #shift: number;
  readonly #mask: number;
  #slabs: Uint32Array[] = [];
  #firstFree = 0;
  /** One more than the highest index ever handed out. */
  #end = 1;
  #used = 0;

  /** `recordsPerSlab` must be a power of two. */
  constructor(recordWords: number, recordsPerSlab: number) {
    this.#recordWords = recordWords;
    this.#shift = Math.log2(recordsPerSlab);
    this.#mask = recordsPerSlab - 1;
  }

  get used(): number {
    return this.#used;
  }

  /** One more than the highest index in use so far. */
  get end(): number {
    return this.#end;
  }

  /** Records that the present slabs hold; index 0 is not counted. */
  get capacity(): number {
    return Math.max(0, this.#slabs.length * (this.#mask + 1) - 1);
  }

  get bytes(): number {
    return this.#slabs.length * (this.#mask + 1) * this.#recordWords * 4;
  }

  slab(index: number): Uint32Array {
    return this.#slabs[index >>> this.#shift]!;
  }

  offset(index: number): number {
    return (index & this.#mask) * this.#recordWords;
  }

  /** A zeroed record. */
  take(): number {
    this.#used++;
    const recycled = this.#firstFree;
    if (recycled !== 0) {
      const slab = this.slab(recycled);
      const at = this.offset(recycled);
      this.#firstFree = slab[at]!;
      slab[at] = 0;
      return recycled;
    }
    const index = this.#end++;
    if (index >>> this.#shift === this.#slabs.length) {
      this.#slabs.push(new Uint32Array((this.#mask + 1) * this.#recordWords));
    }
    return index;
  }

  /** Gives a record back; its words become zero but for the list link in the first. */
  release(index: number): void {
    const slab = this.slab(index);
    const at = this.offset(index);
    // A loop: TypedArray.fill leaves compiled code, which takes as long as everything else here.
    for (let i = at + this.#recordWords - 1; i > at; i--) slab[i] = 0;
    slab[at] = this.#firstFree;
    this.#firstFree = index;
    this.#used--;
  }

  /** Forgets all records and returns the memory. */
  clear(): void {
    this.#slabs = [];
    this.#firstFree = 0;
    this.#end = 1;
    this.#used = 0;
  }

  /** Length of the free list; used + free + never used = capacity. For tests. */
  countFree(): number {
    let count = 0;
    for (let index = this.#firstFree; index !== 0; count++) {
      index = this.slab(index)[this.offset(index)]!;
    }
    return count;
  }
}
