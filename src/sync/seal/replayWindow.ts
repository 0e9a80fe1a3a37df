/**
 * Which counters of a session were seen: the last 2,048 are known one by one, older ones count as
 * seen (RFC 6479, a ring of words).
 */
const words = 64;
const bitsPerWord = 32;
/** The word of the newest counter is being filled: one less is known for certain. */
export const windowSize = (words - 1) * bitsPerWord;

export class ReplayWindow {
  readonly #seen = new Uint32Array(words);
  readonly #floor: number;
  /** The highest counter so far. */
  #newest: number;

  /** Counters below `floor` count as seen. */
  constructor(floor = 0) {
    this.#floor = floor;
    this.#newest = floor - 1;
  }

  /** Not seen, and not too old. */
  isNew(counter: number): boolean {
    if (counter > this.#newest) return true;
    if (counter < this.#floor || counter + windowSize <= this.#newest) return false;
    return (this.#wordOf(counter) & bitOf(counter)) === 0;
  }

  /** Only after what bears the counter was authenticated. */
  note(counter: number): void {
    if (counter > this.#newest) {
      const from = Math.floor(Math.max(this.#newest, 0) / bitsPerWord);
      const to = Math.floor(counter / bitsPerWord);
      const fresh = Math.min(to - from, words);
      for (let i = 0; i < fresh; i++) this.#seen[(to - i) % words] = 0;
      this.#newest = counter;
    }
    const index = Math.floor(counter / bitsPerWord) % words;
    this.#seen[index] = (this.#seen[index] ?? 0) | bitOf(counter);
  }

  #wordOf(counter: number): number {
    return this.#seen[Math.floor(counter / bitsPerWord) % words] ?? 0;
  }
}

function bitOf(counter: number): number {
  return 1 << (counter % bitsPerWord);
}
