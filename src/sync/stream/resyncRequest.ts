/**
 * Asking the peer for its whole internal cache: RESYNC, repeated until it is answered by an
 * acknowledgement or, without acknowledgements, by data. conntrackd asks once, and a peer that is
 * not up yet never hears it. A conntrackd that has no flows answers with nothing at all: without
 * acknowledgements its silence is the answer of an empty table, once it was asked several times
 * while it was there and nothing of it was lost.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { headerFlag } from '../wire/header.js';

const firstRepeat = seconds(2);
const slowestRepeat = seconds(32);
/** A peer without acknowledgements says ALIVE once a second. */
const aliveWithin = seconds(2);
/** Requests to a peer that was there, after which silence is an answer. */
const enoughRequests = 2;

/** What is known of a peer whose silence may be an answer. */
export interface Hearing {
  readonly heardAt: Microseconds | undefined;
  /** Messages of it that are missing, since the start. */
  readonly lost: number;
}

export class ResyncRequest {
  readonly #control: (flags: number, from: number, to: number) => void;
  #askedAt: Microseconds | undefined;
  #repeat = firstRepeat;
  #isQueued = false;
  #isWantedAgain = false;
  #answeredAt: Microseconds | undefined;
  /** Requests since the peer is heard without loss. */
  #heardRequests = 0;
  #lost = 0;

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
    this.#heardRequests = 0;
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

  /** `hearing`: absent where silence is no answer. */
  tick(now: Microseconds, hearing?: Hearing): void {
    if (!this.#isQueued || this.#askedAt === undefined) return;
    const isThere = hearing !== undefined && this.#isHeard(now, hearing);
    if (!isThere) this.#heardRequests = 0;
    if (this.#heardRequests >= enoughRequests && subtractTime(now, this.#askedAt) >= aliveWithin) {
      this.answered(now);
      return;
    }
    if (subtractTime(now, this.#askedAt) < this.#repeat) return;
    this.#askedAt = now;
    if (isThere) this.#heardRequests++;
    this.#repeat = Math.min(slowestRepeat, this.#repeat * 2) as Microseconds;
    this.#control(headerFlag.resync, 0, 0);
  }

  #isHeard(now: Microseconds, { heardAt, lost }: Hearing): boolean {
    const isComplete = lost === this.#lost;
    this.#lost = lost;
    return isComplete && heardAt !== undefined && subtractTime(now, heardAt) < aliveWithin;
  }
}
