/**
 * When numbers were sent, as coarsely as the tick that notes it: how long the oldest one without an
 * acknowledgement waits.
 */
import { subtractTime, type Microseconds } from '../../../base/time.js';
import { sequenceDistance } from '../../wire/header.js';

/** Three minutes of ticks; then every second mark goes, and an age is less precise. */
const mostMarks = 1_024;

export class SendTimes {
  /** `next` is the first number that was sent at `at` or later; oldest first. */
  #marks: { readonly next: number; readonly at: Microseconds }[] = [];

  /** `oldest`: the oldest number that is not acknowledged; what is older is forgotten. */
  note(next: number, oldest: number | undefined, now: Microseconds): void {
    const last = this.#marks.at(-1);
    if (last?.next !== next) this.#marks.push({ next, at: now });
    else this.#marks[this.#marks.length - 1] = { next, at: now };
    const since = oldest ?? next;
    const later = this.#marks.filter((mark) => sequenceDistance(mark.next, since) > 0).length;
    // The last one before it tells its age.
    this.#marks.splice(0, Math.max(0, this.#marks.length - later - 1));
    if (this.#marks.length > mostMarks) this.#marks = this.#marks.filter((_mark, i) => i % 2 === 0);
  }

  /** At most so long ago was `sequence` sent; undefined where it was before the first mark. */
  age(sequence: number, now: Microseconds): Microseconds | undefined {
    const mark = this.#marks.filter(({ next }) => sequenceDistance(next, sequence) <= 0).at(-1);
    return mark === undefined ? undefined : subtractTime(now, mark.at);
  }
}
