/**
 * That clients of the sync engine are served: notify scripts, which may call it, and READY=1 wait
 * for that; roles do not. With a worker that does not come nobody waits longer than two seconds.
 */
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';

const longestWait = seconds(2);

export class ClientsServed {
  readonly promise: Promise<void>;
  #resolve: () => void = () => undefined;
  readonly #timeout: ArmedTimer | undefined;

  /** `hasWorker`: there is a sync engine at all. */
  constructor(timers: Timers, hasWorker: boolean) {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (hasWorker) this.#timeout = timers.after(longestWait, () => this.#resolve());
    else this.#resolve();
  }

  /** The worker listens, or the node stops. */
  now(): void {
    this.#timeout?.cancel();
    this.#resolve();
  }
}
