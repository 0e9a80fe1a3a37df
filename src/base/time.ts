/**
 * Time as a type. Every duration and instant inside keepstate is an integer number of microseconds
 * with a brand, so that seconds, centiseconds and milliseconds cannot be mixed up. Reading a clock,
 * arming a timer and drawing chance are ports: pure code receives values. systemClock.ts and
 * systemRandom.ts hold the real ones, which src/daemon, src/cli and the entry of the sync worker
 * pass on.
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

/**
 * What passed from `b` to `a`. Where `b` is the later one, nothing: two readings of a clock are
 * taken at two places, so either may be the older one, and an age, a wait or a rest below zero has
 * no meaning that is harmless.
 */
export function subtractTime(a: Microseconds, b: Microseconds): Microseconds {
  return microseconds(notBelowZero(a - b));
}

/** The same for whole seconds, in which flow records keep their times. */
export function subtractSeconds(a: number, b: number): number {
  return notBelowZero(a - b);
}

/** The second to which an instant belongs: the unit of flow records. */
export function wholeSeconds(at: Microseconds): number {
  return Math.floor(toSeconds(at));
}

function notBelowZero(difference: number): number {
  return difference > 0 ? difference : 0;
}

/** Where time comes from. */
export interface Clock {
  /**
   * Monotonic, unaffected by clock steps; origin is arbitrary but shared by all processes of one
   * boot.
   */
  now(): Microseconds;
  /**
   * Wall clock: microseconds since 1970-01-01T00:00:00Z. For people and files, never for decisions.
   */
  wallClock(): Microseconds;
}

/** How long something has taken by now. */
export function millisecondsSince(startedAt: Microseconds, clock: Clock): number {
  return toMilliseconds(subtractTime(clock.now(), startedAt));
}

/** A timer that was armed. Cancelling a timer that fired or was cancelled does nothing. */
export interface ArmedTimer {
  cancel(): void;
}

/**
 * Calls back later. `callback` receives the instant at which the timer was due, which may be long
 * past.
 */
export interface Timers {
  after(delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer;
}

/** Gives the event loop its turn in the middle of long work. */
export interface Turns {
  /**
   * Calls back after what waits now (sockets, timers) was served; never before this call returns.
   */
  next(callback: () => void): void;
}

/** Chance. */
export interface RandomSource {
  /** Uniform integer in [0, exclusiveLimit); exclusiveLimit is at most 2^32. */
  below(exclusiveLimit: number): number;
}
