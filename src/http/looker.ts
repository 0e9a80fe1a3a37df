/**
 * Asks the main thread for a look at the node. Several clients at once share one look; a look that
 * does not come in time is an error, never an old one. What happened before somebody asked stands
 * in the look that he gets.
 */
import {
  milliseconds,
  seconds,
  subtractTime,
  toMilliseconds,
  toSeconds,
  type Clock,
  type Microseconds,
  type Timers,
} from '../base/time.js';
import type { NodeView } from './httpMessages.js';

/** `takenAt`: milliseconds since 1970 at which the answer came. */
export interface Look {
  readonly view: NodeView;
  readonly takenAt: number;
}

export interface LookerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Is answered by `answered` with the same id. */
  readonly ask: (id: number) => void;
}

/** The main loop hangs, or is busier than it ever may be. */
const patience = seconds(2);
/** A second client within this time sees the same. */
const fresh = milliseconds(200);

interface Waiting {
  readonly id: number;
  readonly promise: Promise<Look>;
  /** Something happened since it was asked for: who asks now waits for another. */
  isOutdated: boolean;
  readonly settle: (view: NodeView) => void;
}

export class Looker {
  readonly #ports: LookerPorts;
  #nextId = 1;
  #waiting: Waiting | undefined;
  #last: { readonly look: Look; readonly at: Microseconds } | undefined;

  constructor(ports: LookerPorts) {
    this.#ports = ports;
  }

  /** Rejects with Error where the main thread does not answer within two seconds. */
  look(): Promise<Look> {
    if (this.#waiting?.isOutdated === true) {
      return this.#waiting.promise.then(
        () => this.look(),
        () => this.look(),
      );
    }
    if (this.#waiting !== undefined) return this.#waiting.promise;
    const { clock, ask } = this.#ports;
    if (this.#last !== undefined && subtractTime(clock.now(), this.#last.at) < fresh) {
      return Promise.resolve(this.#last.look);
    }
    const waiting = this.#begin(this.#nextId++);
    this.#waiting = waiting;
    ask(waiting.id);
    return waiting.promise;
  }

  /** Something happened on the node: no look of before is shown to who asks from now on. */
  outdate(): void {
    this.#last = undefined;
    if (this.#waiting !== undefined) this.#waiting.isOutdated = true;
  }

  answered(id: number, json: string): void {
    if (this.#waiting?.id !== id) return;
    // Only the main thread posts here, and it writes this one type.
    this.#waiting.settle(JSON.parse(json) as NodeView);
  }

  #begin(id: number): Waiting {
    const { clock, timers } = this.#ports;
    let settle: Waiting['settle'] = () => undefined;
    const promise = new Promise<Look>((resolve, reject) => {
      const late = timers.after(patience, () => {
        this.#waiting = undefined;
        reject(new Error(`the daemon did not answer within ${toSeconds(patience)} s`));
      });
      settle = (view) => {
        late.cancel();
        const isOutdated = this.#waiting?.isOutdated === true;
        this.#waiting = undefined;
        const look = { view, takenAt: Math.floor(toMilliseconds(clock.wallClock())) };
        if (!isOutdated) this.#last = { look, at: clock.now() };
        resolve(look);
      };
    });
    return { id, promise, isOutdated: false, settle };
  }
}
