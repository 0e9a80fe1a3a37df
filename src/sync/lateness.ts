/** How late the event loop serves a timer. Each sample wakes the thread, which is what an idle node pays for. */
import { milliseconds, type ArmedTimer, type Clock, type Timers } from '../base/time.js';

const interval = milliseconds(200);
const samples = 25;

export class Lateness {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #late: number[] = [];
  #timer: ArmedTimer | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#arm();
  }

  /** Over the last five seconds, in milliseconds. */
  read(): { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } {
    const sorted = [...this.#late].sort((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? 0 };
  }

  close(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#timers.after(interval, (due) => {
      this.#late.push(Math.max(0, this.#clock.now() - due) / 1_000);
      if (this.#late.length > samples) this.#late.shift();
      this.#arm();
    });
  }
}
