/**
 * When so much comes in that reading it would keep the thread from its adverts. Pure but for its
 * two counters.
 */
import { milliseconds, subtractTime, type Microseconds } from '../../base/time.js';

const window = milliseconds(20);
/** 20 targets at their fastest make 4. */
const mostInWindow = 200;
/** So long nothing is read; what the receive buffer cannot hold is dropped by the kernel. */
export const pause = milliseconds(100);

export class FloodBrake {
  #begun: Microseconds | undefined;
  #count = 0;

  /** True: stop reading for `pause`, and begin a new window then. */
  isTooMuch(datagrams: number, now: Microseconds): boolean {
    if (this.#begun === undefined || subtractTime(now, this.#begun) >= window) {
      this.#begun = now;
      this.#count = 0;
    }
    this.#count += datagrams;
    return this.#count > mostInWindow;
  }
}
