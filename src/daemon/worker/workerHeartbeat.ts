/**
 * Notices a worker thread that lives and says nothing. Counts looks, not time: after a stop of the
 * whole process, or of the machine, the worker has had no more chance to speak than the main thread
 * to look.
 */
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';

const checkPeriod = seconds(1);
/** A worker reports its status every second, whatever else it does. */
const checksUntilTimeout = 15;

export class WorkerHeartbeat {
  readonly #timers: Timers;
  readonly #onSilent: () => void;
  #checks = 0;
  #timer: ArmedTimer | undefined;

  /** `onSilent` is called once per `start`. */
  constructor(timers: Timers, onSilent: () => void) {
    this.#timers = timers;
    this.#onSilent = onSilent;
  }

  start(): void {
    this.heard();
    this.stop();
    this.#timer = this.#timers.after(checkPeriod, () => this.#check());
  }

  heard(): void {
    this.#checks = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(): void {
    this.#checks += 1;
    if (this.#checks >= checksUntilTimeout) this.#onSilent();
    else this.#timer = this.#timers.after(checkPeriod, () => this.#check());
  }
}
