/**
 * How late an event loop serves a timer that is there anyway. A timer for this alone wakes the
 * thread, which is what an idle node pays for: at 10 ms it took 0.7 % of a core.
 */
import type { Microseconds } from './time.js';

/** Milliseconds, over the last samples. */
export interface LatenessFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export class Lateness {
  readonly #late: Float64Array;
  #count = 0;

  /** Figures are told of the last `samples` calls of `note`. */
  constructor(samples: number) {
    this.#late = new Float64Array(samples);
  }

  /** A timer that was due that long ago is served now. */
  note(late: Microseconds): void {
    this.#late[this.#count++ % this.#late.length] = Math.max(0, Math.round(late / 10) / 100);
  }

  read(): LatenessFigures {
    const sorted = this.#late.slice(0, this.#count).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
  }
}
