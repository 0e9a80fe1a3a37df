/**
 * The walk of a bulk where there is no internal cache (DisableInternalCache): a dump of the
 * kernel's table, read as fast as the peer is sent what it found. What cannot be read is tried
 * again.
 */
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { seconds, type Timers } from '../../base/time.js';
import type { Walk } from '../tables/changeListener.js';

const retryPause = seconds(1);

/** What reads the kernel's table for the peer. */
export interface KernelReader {
  /** Number of flows that were read. Rejects with KernelError. */
  sendAll(): Promise<number>;
  /** What was read was sent: more is wanted. */
  readOn(): void;
}

export interface BypassWalkParts {
  readonly reader: KernelReader;
  readonly timers: Timers;
  readonly logger: Logger;
  /** The dump has ended: the bulk may be complete. */
  readonly wake: () => void;
}

export class BypassWalk implements Walk {
  entries = 0;
  readonly #parts: BypassWalkParts;
  #isDone = false;
  /** Grows with each walk: what an earlier one reports late is nothing to the present one. */
  #walk = 0;

  constructor(parts: BypassWalkParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#isDone = false;
    this.entries = 0;
    this.#read(++this.#walk);
  }

  step(): boolean {
    if (!this.#isDone) this.#parts.reader.readOn();
    return this.#isDone;
  }

  stop(): void {
    this.#walk++;
  }

  #read(walk: number): void {
    const { reader, timers, logger, wake } = this.#parts;
    reader
      .sendAll()
      .then((entries) => {
        if (walk !== this.#walk) return;
        this.entries = entries;
        this.#isDone = true;
        wake();
      })
      .catch((error: unknown) => {
        if (walk !== this.#walk) return;
        logger.log('error', 'the kernel table cannot be read for the peer', {
          reason: errorText(error),
        });
        timers.after(retryPause, () => {
          if (walk === this.#walk) this.#read(walk);
        });
      });
  }
}
