/**
 * Hash -> slot, grown without pauses: an extendible hash. A directory, indexed by the top bits of
 * the hash, points at segments of 1024 places with linear probing; a full segment is split in two
 * by one more bit, which moves at most 1024 entries (about 10 us). Deleting shifts the run back, so
 * there are no tombstones and lookups do not degrade with age. A place is two words: hash, slot (0
 * is empty).
 */

const segmentBits = 10;
const places = 1 << segmentBits;
const placeMask = places - 1;
/** Load limit: beyond 3/4 runs of linear probing grow long. */
const fullSegment = (places * 3) / 4;
/** The low bits choose the place, the high ones the segment; they must not overlap. */
const deepest = 32 - segmentBits;

interface Segment {
  readonly words: Uint32Array;
  depth: number;
  used: number;
}

export class HashIndex {
  #directory: Segment[] = [newSegment(0)];
  /** Bits of the hash that index the directory. */
  #depth = 0;
  #segments = 1;

  get bytes(): number {
    return this.#segments * places * 8 + this.#directory.length * 8;
  }

  /** The first slot with this hash that `accept` takes, or 0. */
  find<T>(hash: number, accept: (slot: number, context: T) => boolean, context: T): number {
    const { words } = this.#segmentOf(hash);
    for (let place = hash & placeMask; ; place = (place + 1) & placeMask) {
      const slot = words[place * 2 + 1]!;
      if (slot === 0) return 0;
      if (words[place * 2] === hash && accept(slot, context)) return slot;
    }
  }

  /** False where 2^22 segments cannot separate the hashes; then nothing was inserted. */
  insert(hash: number, slot: number): boolean {
    let segment = this.#segmentOf(hash);
    while (segment.used >= fullSegment) {
      if (!this.#split(hash, segment)) return false;
      segment = this.#segmentOf(hash);
    }
    put(segment, hash, slot);
    return true;
  }

  /** Removes the entry of `slot`; false where there is none. */
  remove(hash: number, slot: number): boolean {
    const segment = this.#segmentOf(hash);
    const { words } = segment;
    let hole = hash & placeMask;
    while (words[hole * 2 + 1] !== slot) {
      if (words[hole * 2 + 1] === 0) return false;
      hole = (hole + 1) & placeMask;
    }
    segment.used--;
    // Backward shift: an entry moves into the hole unless its home lies cyclically behind the hole.
    for (let next = (hole + 1) & placeMask; ; next = (next + 1) & placeMask) {
      const moved = words[next * 2 + 1]!;
      if (moved === 0) break;
      const home = words[next * 2]! & placeMask;
      if (((next - home) & placeMask) < ((next - hole) & placeMask)) continue;
      words[hole * 2] = words[next * 2]!;
      words[hole * 2 + 1] = moved;
      hole = next;
    }
    words[hole * 2 + 1] = 0;
    return true;
  }

  clear(): void {
    this.#directory = [newSegment(0)];
    this.#depth = 0;
    this.#segments = 1;
  }

  /**
   * Entries, and the most places that a lookup of an existing entry visits. Walks everything: for
   * tests.
   */
  measure(): { readonly entries: number; readonly longestProbe: number } {
    let entries = 0;
    let longestProbe = 0;
    for (const { words } of new Set(this.#directory)) {
      for (let place = 0; place < places; place++) {
        if (words[place * 2 + 1] === 0) continue;
        entries++;
        longestProbe = Math.max(longestProbe, ((place - words[place * 2]!) & placeMask) + 1);
      }
    }
    return { entries, longestProbe };
  }

  #segmentOf(hash: number): Segment {
    // A shift by 32 is a shift by 0 in JavaScript: two steps.
    return this.#directory[(hash >>> 1) >>> (31 - this.#depth)]!;
  }

  #split(hash: number, full: Segment): boolean {
    if (full.depth === deepest) return false;
    if (full.depth === this.#depth) {
      this.#directory = this.#directory.flatMap((segment) => [segment, segment]);
      this.#depth++;
    }
    const depth = full.depth + 1;
    const low = newSegment(depth);
    const high = newSegment(depth);
    for (let place = 0; place < places; place++) {
      const slot = full.words[place * 2 + 1]!;
      if (slot === 0) continue;
      const entry = full.words[place * 2]!;
      put(((entry >>> (32 - depth)) & 1) === 0 ? low : high, entry, slot);
    }
    const span = 1 << (this.#depth - depth);
    const first = ((hash >>> 1) >>> (31 - this.#depth)) & ~(2 * span - 1);
    this.#directory.fill(low, first, first + span);
    this.#directory.fill(high, first + span, first + 2 * span);
    this.#segments++;
    return true;
  }
}

function newSegment(depth: number): Segment {
  return { words: new Uint32Array(places * 2), depth, used: 0 };
}

function put(segment: Segment, hash: number, slot: number): void {
  const { words } = segment;
  let place = hash & placeMask;
  while (words[place * 2 + 1] !== 0) place = (place + 1) & placeMask;
  words[place * 2] = hash;
  words[place * 2 + 1] = slot;
  segment.used++;
}
