/** Round-trip times and losses of the last minute, in memory that is allocated once. */
import { microseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';

const period = seconds(60);
/** A probe each 0.1 s. */
const mostProbes = 600;

export interface WindowView {
  /** Absent where nothing was answered in the last minute. */
  readonly roundTrip?: {
    readonly last: Microseconds;
    readonly median: Microseconds;
    readonly worst: Microseconds;
  };
  readonly answered: number;
  readonly lost: number;
}

export class LossWindow {
  readonly #at = new Float64Array(mostProbes);
  /** Microseconds; negative is a loss. */
  readonly #roundTrip = new Float64Array(mostProbes);
  #next = 0;
  #count = 0;

  /** `roundTrip` undefined: the probe was lost. */
  add(at: Microseconds, roundTrip: Microseconds | undefined): void {
    this.#at[this.#next] = at;
    this.#roundTrip[this.#next] = roundTrip ?? -1;
    this.#next = (this.#next + 1) % mostProbes;
    this.#count = Math.min(mostProbes, this.#count + 1);
  }

  /** Sorts: for people, not for each probe. */
  view(now: Microseconds): WindowView {
    const times: number[] = [];
    let lost = 0;
    let last = 0;
    for (let i = this.#count; i > 0; i--) {
      const slot = (this.#next - i + mostProbes) % mostProbes;
      if (subtractTime(now, microseconds(this.#at[slot] ?? 0)) > period) continue;
      const roundTrip = this.#roundTrip[slot] ?? -1;
      if (roundTrip < 0) lost++;
      else {
        times.push(roundTrip);
        last = roundTrip;
      }
    }
    if (times.length === 0) return { answered: 0, lost };
    times.sort((a, b) => a - b);
    const median = times[Math.floor((times.length - 1) / 2)] ?? 0;
    return {
      roundTrip: {
        last: microseconds(last),
        median: microseconds(median),
        worst: microseconds(times.at(-1) ?? 0),
      },
      answered: times.length,
      lost,
    };
  }
}
