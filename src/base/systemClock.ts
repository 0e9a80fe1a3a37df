/** The real clock and timers of Node.js behind the ports of time.ts. */
import {
  microseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from './time.js';

/** setTimeout takes at most 2^31-1 ms; a longer delay is served in several steps. */
const longestStepMilliseconds = 2_147_000_000;

/** A wall clock that moved less than this against the monotonic one was not set by anybody. */
const smallestStepMicroseconds = 20_000;

const monotonic = (): number => Number(process.hrtime.bigint() / 1_000n);
let offset = Date.now() * 1_000 - monotonic();

/**
 * The thread may lose its processor between the two readings: the distance of the clocks then lies
 * somewhere between these bounds, and one that is known and fits is kept.
 */
function lookAtDistance(): void {
  const before = monotonic();
  const wall = Date.now() * 1_000;
  const after = monotonic();
  const isBelow = offset < wall - after - smallestStepMicroseconds;
  const isAbove = offset > wall - before + smallestStepMicroseconds;
  if (isBelow || isAbove) offset = wall - after;
}

/**
 * CLOCK_MONOTONIC and CLOCK_REALTIME. The distance between the two stays the same until the wall
 * clock is set, so that an instant told as wall-clock time twice is the same both times.
 */
export const systemClock: Clock = {
  now: () => microseconds(monotonic()),
  wallClock: () => {
    lookAtDistance();
    return microseconds(monotonic() + offset);
  },
};

/** A turn of the event loop ends with the callbacks of setImmediate. */
export const systemTurns: Turns = {
  next: (callback) => {
    setImmediate(callback);
  },
};

/**
 * Timers that never fire early. Node.js counts whole milliseconds and may call back up to 1 ms
 * before the asked time, so 1 ms is added: to look and sleep again would cost a second wake-up per
 * timer and be as late.
 */
export class SystemTimers implements Timers {
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  after(delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer {
    const due = microseconds(this.#clock.now() + Math.max(0, delay));
    let handle: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const left = due - this.#clock.now();
      if (left <= 0) {
        handle = undefined;
        callback(due);
        return;
      }
      handle = setTimeout(arm, stepMilliseconds(left));
    };
    handle = setTimeout(arm, stepMilliseconds(Math.max(0, delay)));
    return {
      cancel: () => {
        if (handle !== undefined) clearTimeout(handle);
        handle = undefined;
      },
    };
  }
}

function stepMilliseconds(left: number): number {
  return Math.min(Math.ceil(left / 1_000) + 1, longestStepMilliseconds);
}
