/**
 * Log lines about flows that the kernel refused: one at once, then one per pause with the number
 * since.
 */
import type { Logger } from '../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../base/time.js';

const pause = seconds(10);

export class FailureLog {
  readonly #what: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #loggedAt: Microseconds | undefined;
  #failed = 0;

  /** `what` is the constant message. */
  constructor(what: string, { logger, clock }: { readonly logger: Logger; readonly clock: Clock }) {
    this.#what = what;
    this.#logger = logger;
    this.#clock = clock;
  }

  note(errno: number): void {
    this.#failed++;
    const now = this.#clock.now();
    if (this.#loggedAt !== undefined && subtractTime(now, this.#loggedAt) < pause) return;
    this.#loggedAt = now;
    this.#logger.log('warning', this.#what, { failed: this.#failed, errno });
    this.#failed = 0;
  }
}
