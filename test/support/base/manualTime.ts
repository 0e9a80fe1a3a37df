/** Clock and timers that move only when a test says so. */
import {
  addTime,
  microseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../../src/base/time.js';

interface Waiting {
  readonly due: Microseconds;
  readonly callback: (due: Microseconds) => void;
}

export class ManualTime implements Clock, Timers {
  #now = microseconds(1_000_000);
  readonly #waiting = new Set<Waiting>();

  now(): Microseconds {
    return this.#now;
  }

  /** 2026-01-01 at monotonic zero. */
  wallClock(): Microseconds {
    return microseconds(1_767_225_600_000_000 + this.#now);
  }

  after(delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer {
    const waiting = { due: addTime(this.#now, microseconds(Math.max(0, delay))), callback };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Rings every timer that is due within `duration`, in order; promises settle after each. */
  async advance(duration: Microseconds): Promise<void> {
    const end = addTime(this.#now, duration);
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#waiting.delete(next);
      this.#now = microseconds(Math.max(this.#now, next.due));
      next.callback(next.due);
      await settle();
    }
    this.#now = end;
  }

  /** The process does not run for `duration`: time passes, nothing rings. */
  stall(duration: Microseconds): void {
    this.#now = addTime(this.#now, duration);
  }

  get armed(): number {
    return this.#waiting.size;
  }

  #next(end: Microseconds): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.due <= end && (first === undefined || waiting.due < first.due)) first = waiting;
    }
    return first;
  }
}

/** Lets every promise that can go on do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
