/**
 * The one queue of a simulated world: what happens next, in virtual microseconds. What is due at
 * the same instant happens in the order in which it was asked for. Nothing ticks by itself.
 */
import { microseconds, type Microseconds } from '../../../src/base/time.js';

/** Something that will happen. Cancelling what happened or was cancelled does nothing. */
export interface Appointment {
  readonly due: number;
  cancel(): void;
}

class Item implements Appointment {
  readonly due: number;
  readonly order: number;
  run: (() => void) | undefined;

  constructor(due: number, order: number, run: () => void) {
    this.due = due;
    this.order = order;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

export class EventQueue {
  readonly #heap: Item[] = [];
  #now = 0;
  #order = 0;
  #happened = 0;

  now(): Microseconds {
    return microseconds(this.#now);
  }

  /** How much has happened so far. */
  get happened(): number {
    return this.#happened;
  }

  /** What waits, cancelled items included until their time. */
  get waiting(): number {
    return this.#heap.length;
  }

  /** At `due`, or now where that is past. */
  at(due: number, run: () => void): Appointment {
    const item = new Item(Math.max(Math.round(due), this.#now), this.#order++, run);
    this.#push(item);
    return item;
  }

  after(delay: number, run: () => void): Appointment {
    return this.at(this.#now + Math.max(0, delay), run);
  }

  /** Lets everything happen up to and including `until`, and stands there. */
  runUntil(until: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.due <= until; next = this.#heap[0]) {
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      next.run = undefined;
      this.#now = next.due;
      this.#happened++;
      run();
    }
    this.#now = Math.max(this.#now, until);
  }

  #push(item: Item): void {
    const heap = this.#heap;
    let i = heap.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
