/**
 * Time as a type. Every duration and instant inside keepstate is an integer number of microseconds with
 * a brand, so that seconds, centiseconds and milliseconds cannot be mixed up. Reading a clock, arming a
 * timer and drawing chance are ports: pure code receives values, only src/daemon hands out the real ones.
 */

declare const microsecondsBrand: unique symbol;

/** An integer count of microseconds: a duration, or an instant on the monotonic clock. */
export type Microseconds = number & { readonly [microsecondsBrand]: true };

/** Checked boundary: rounds to whole microseconds. */
export function microseconds(value: number): Microseconds {
  // The brand has no runtime part.
  return Math.round(value) as Microseconds;
}

export function milliseconds(value: number): Microseconds {
  return microseconds(value * 1_000);
}

export function centiseconds(value: number): Microseconds {
  return microseconds(value * 10_000);
}

export function seconds(value: number): Microseconds {
  return microseconds(value * 1_000_000);
}

export function toMilliseconds(value: Microseconds): number {
  return value / 1_000;
}

export function toSeconds(value: Microseconds): number {
  return value / 1_000_000;
}

export function addTime(a: Microseconds, b: Microseconds): Microseconds {
  return microseconds(a + b);
}

export function subtractTime(a: Microseconds, b: Microseconds): Microseconds {
  return microseconds(a - b);
}

/** Where time comes from. */
export interface Clock {
  /** Monotonic, unaffected by clock steps; origin is arbitrary but shared by all processes of one boot. */
  now(): Microseconds;
  /** Wall clock: microseconds since 1970-01-01T00:00:00Z. For people and files, never for decisions. */
  wallClock(): Microseconds;
}

/** A timer that was armed. Cancelling a timer that fired or was cancelled does nothing. */
export interface ArmedTimer {
  cancel(): void;
}

/** Calls back later. `callback` receives the instant at which the timer was due, which may be long past. */
export interface Timers {
  after(delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer;
}

/** Gives the event loop its turn in the middle of long work. */
export interface Turns {
  /** Calls back after what waits now (sockets, timers) was served; never before this call returns. */
  next(callback: () => void): void;
}

/** Chance. */
export interface RandomSource {
  /** Uniform integer in [0, exclusiveLimit); exclusiveLimit is at most 2^32. */
  below(exclusiveLimit: number): number;
}
