/** Time that passes only when somebody says so, and a queue of what is to happen in it. */
import { addTime, microseconds, type Microseconds } from '../../../src/base/time.js';

interface Due {
  readonly at: Microseconds;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime {
  now: Microseconds = microseconds(0);
  #order = 0;
  readonly #queue: Due[] = [];

  /** The returned function cancels. */
  after(delay: Microseconds, run: () => void): () => void {
    let isCancelled = false;
    const due: Due = {
      ...{ at: addTime(this.now, delay), order: (this.#order += 1) },
      run: () => {
        if (!isCancelled) run();
      },
    };
    // Most things happen soon: from the end of the queue the place is near.
    let place = this.#queue.length;
    while (place > 0 && isLater(due, this.#queue[place - 1])) place -= 1;
    this.#queue.splice(place, 0, due);
    return () => {
      isCancelled = true;
    };
  }

  runUntil(end: Microseconds): void {
    for (;;) {
      const next = this.#queue.at(-1);
      if (next === undefined || next.at > end) break;
      this.#queue.pop();
      this.now = next.at;
      next.run();
    }
    this.now = end;
  }
}

/** The queue is sorted with what comes first at its end. */
function isLater(a: Due, b: Due | undefined): boolean {
  return b !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order));
}
