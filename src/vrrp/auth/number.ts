/**
 * The numbers of auth_hmac: instants of the wall clock of 64 bits (seconds, 1/65536 s, a counter),
 * compared in serial arithmetic, so that they go on after the year 2106.
 */
import { microseconds, type Microseconds } from '../../base/time.js';

/**
 * What the last number may be ahead of the one that a file holds: files are written a few times a
 * second, and once a minute on the disk.
 */
const unsavedSeconds = 120n;

/** `wallClock`: since 1970. */
export function numberAt(wallClock: Microseconds): bigint {
  const seconds = Math.floor(wallClock / 1_000_000);
  const fraction = Math.floor(((wallClock % 1_000_000) * 65_536) / 1_000_000);
  return BigInt.asUintN(64, (BigInt(seconds) << 32n) | (BigInt(fraction) << 16n));
}

/** How far the instant of `number` is after that of `other`; negative where it is before. */
export function differenceOf(number: bigint, other: bigint): Microseconds {
  const parts = Number(BigInt.asIntN(64, number - other) >> 16n);
  return microseconds((parts * 1_000_000) / 65_536);
}

/** Serial arithmetic: half of all numbers are newer than any given one. */
export function isNewer(number: bigint, other: bigint): boolean {
  return BigInt.asIntN(64, number - other) > 0n;
}

/** Numbers of this node, each above the one before, the lives before a restart included. */
export class NumberLine {
  #last: bigint | undefined;
  readonly #saved: bigint | undefined;

  /** `saved`: the last number that a file of an earlier life holds. */
  constructor(saved?: bigint) {
    this.#saved = saved;
  }

  get last(): bigint | undefined {
    return this.#last ?? this.#saved;
  }

  /** The clock's, or the next one where the clock was set back. */
  next(wallClock: Microseconds): bigint {
    const now = numberAt(wallClock);
    if (this.#last === undefined) this.#last = this.#first(now);
    else this.#last = isNewer(now, this.#last) ? now : BigInt.asUintN(64, this.#last + 1n);
    return this.#last;
  }

  /** A clock that is behind the file is behind what was sent after its writing, too. */
  #first(now: bigint): bigint {
    if (this.#saved === undefined || isNewer(now, this.#saved)) return now;
    return BigInt.asUintN(64, this.#saved + (unsavedSeconds << 32n));
  }
}
