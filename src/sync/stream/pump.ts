/**
 * Decides when the replicator sends: at the end of the turn in which something woke it, in runs
 * that leave the thread to others. All batches of events that one turn reads thus leave in one call
 * of the kernel, and wake the peer once. With acknowledgements the window limits what is out;
 * without them time does.
 */
import {
  milliseconds,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from '../../base/time.js';
import type { SyncMode } from '../settings.js';

/** About a millisecond of work. */
const messagesPerRun = 1_024;
/**
 * Without acknowledgements: some 300,000 messages a second, which an ordinary receive buffer bears.
 */
const messagesPerPause = 384;
const pause = milliseconds(1);

export interface PumpPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  /** The link takes no more at present; `wake` follows when it does. */
  readonly isBlocked: () => boolean;
}

/** What is pumped: the replicator. */
export interface Pumped {
  /** Sends what waits, up to `most` messages; true where more can be sent at once. */
  pump(now: Microseconds, most: number): boolean;
}

export class Pump {
  readonly #replicator: Pumped;
  readonly #ports: PumpPorts;
  readonly #isPaced: boolean;
  #isAwake = false;
  #isClosed = false;
  readonly #again = (): void => {
    this.#run();
  };

  constructor(mode: SyncMode, replicator: Pumped, ports: PumpPorts) {
    this.#replicator = replicator;
    this.#ports = ports;
    this.#isPaced = mode !== 'FTFW';
  }

  /** Sends when what the present turn reads was worked through. */
  wake(): void {
    if (this.#isAwake || this.#isClosed) return;
    this.#isAwake = true;
    this.#ports.turns.next(this.#again);
  }

  close(): void {
    this.#isClosed = true;
  }

  #run(): void {
    if (this.#isClosed) return;
    if (this.#ports.isBlocked()) {
      this.#isAwake = false;
      return;
    }
    const most = this.#isPaced ? messagesPerPause : messagesPerRun;
    const hasMore = this.#replicator.pump(this.#ports.clock.now(), most);
    if (!hasMore) {
      this.#isAwake = false;
      return;
    }
    if (this.#isPaced) this.#ports.timers.after(pause, this.#again);
    else this.#ports.turns.next(this.#again);
  }
}
