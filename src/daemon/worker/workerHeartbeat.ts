/**
 * Notices a worker thread that lives and says nothing. Counts looks, not time: after a stop of the whole process, or of
 * the machine, the worker has had no more chance to speak than the main thread to look.
 */
import { seconds, type ArmedTimer, type Timers } from '../../base/time.js';

const lookPeriod = seconds(1);
/** A worker reports its status every second, whatever else it does. */
const looksOfPatience = 15;

export class SilenceWatch {
  readonly #timers: Timers;
  readonly #onSilent: () => void;
  #looks = 0;
  #timer: ArmedTimer | undefined;

  /** `onSilent` is called once per `start`. */
  constructor(timers: Timers, onSilent: () => void) {
    this.#timers = timers;
    this.#onSilent = onSilent;
  }

  start(): void {
    this.heard();
    this.stop();
    this.#timer = this.#timers.after(lookPeriod, () => this.#look());
  }

  heard(): void {
    this.#looks = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    this.#looks += 1;
    if (this.#looks >= looksOfPatience) this.#onSilent();
    else this.#timer = this.#timers.after(lookPeriod, () => this.#look());
  }
}
