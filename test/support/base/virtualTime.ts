/** A clock that jumps from one appointment to the next. Appointments of one instant keep their order. */
import { microseconds, type Microseconds } from '../../../src/base/time.js';

interface Appointment {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #heap: Appointment[] = [];

  now(): Microseconds {
    return microseconds(this.#now);
  }

  at(due: number, run: () => void): void {
    this.#push({ due: Math.max(due, this.#now), order: this.#order++, run });
  }

  /** Keeps all appointments up to and including `until`, then stands there. */
  runUntil(until: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.due <= until; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.due;
      next.run();
    }
    this.#now = Math.max(this.#now, until);
  }

  #push(item: Appointment): void {
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

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
