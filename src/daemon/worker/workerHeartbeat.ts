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
  readonly #reports: () => number;
  readonly #onSilent: () => void;
  /** How many reports there were at the last check, and the checks since the last new one. */
  #known = 0;
  #checks = 0;
  #timer: ArmedTimer | undefined;

  /** `reports`: how many there were so far. `onSilent` is called once per `start`. */
  constructor(timers: Timers, reports: () => number, onSilent: () => void) {
    this.#timers = timers;
    this.#reports = reports;
    this.#onSilent = onSilent;
  }

  start(): void {
    this.#known = this.#reports();
    this.#checks = 0;
    this.stop();
    this.#timer = this.#timers.after(checkPeriod, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(): void {
    const reports = this.#reports();
    this.#checks = reports === this.#known ? this.#checks + 1 : 0;
    this.#known = reports;
    if (this.#checks >= checksUntilTimeout) this.#onSilent();
    else this.#timer = this.#timers.after(checkPeriod, () => this.#check());
  }
}
