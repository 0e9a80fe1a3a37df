/**
 * Asking the peer for its whole internal cache: RESYNC, repeated until it is answered by an acknowledgement
 * or, without acknowledgements, by data. conntrackd asks once, and a peer that is not up yet never hears it.
 */
import { seconds, subtractTime, type Microseconds } from '../base/time.js';
import { headerFlag } from './wire/header.js';

const firstRepeat = seconds(2);
const slowestRepeat = seconds(32);

export class ResyncRequest {
  readonly #control: (flags: number, from: number, to: number) => void;
  #askedAt: Microseconds | undefined;
  #repeat = firstRepeat;
  #isQueued = false;
  #isWantedAgain = false;
  #answeredAt: Microseconds | undefined;

  constructor(control: (flags: number, from: number, to: number) => void) {
    this.#control = control;
  }

  get isWaiting(): boolean {
    return this.#isQueued;
  }

  /** When the last request was answered; undefined while one waits or none was made. */
  get answeredAt(): Microseconds | undefined {
    return this.#answeredAt;
  }

  /** While one waits, another follows it: what the peer sent for the first may have been missed. */
  ask(now: Microseconds): void {
    if (this.#isQueued) {
      this.#isWantedAgain = true;
      return;
    }
    this.#answeredAt = undefined;
    this.#isQueued = true;
    this.#askedAt = now;
    this.#repeat = firstRepeat;
    this.#control(headerFlag.resync, 0, 0);
  }

  answered(now: Microseconds): void {
    if (!this.#isQueued) return;
    this.#isQueued = false;
    if (this.#isWantedAgain) {
      this.#isWantedAgain = false;
      this.ask(now);
      return;
    }
    this.#answeredAt = now;
  }

  tick(now: Microseconds): void {
    if (!this.#isQueued || this.#askedAt === undefined) return;
    if (subtractTime(now, this.#askedAt) < this.#repeat) return;
    this.#askedAt = now;
    this.#repeat = Math.min(slowestRepeat, this.#repeat * 2) as Microseconds;
    this.#control(headerFlag.resync, 0, 0);
  }
}
