/**
 * The walk of a bulk where there is no internal cache (DisableInternalCache): a dump of the kernel's table, read as
 * fast as the peer is told. What cannot be read is tried again.
 */
import type { Logger } from '../../base/logger.js';
import { seconds, type Timers } from '../../base/time.js';
import type { Walk } from './bulkWalk.js';
import { errorText } from '../errorText.js';
import type { KernelFeed } from '../local/kernelFeed.js';

const retryPause = seconds(1);

export interface DumpWalkParts {
  readonly feed: Pick<KernelFeed, 'tellAll' | 'readOn'>;
  readonly timers: Timers;
  readonly logger: Logger;
  /** The dump has ended: the bulk may be complete. */
  readonly wake: () => void;
}

export class DumpWalk implements Walk {
  entries = 0;
  readonly #parts: DumpWalkParts;
  #isDone = false;
  /** Grows with each walk: what an earlier one reports late is nothing to the present one. */
  #walk = 0;

  constructor(parts: DumpWalkParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#isDone = false;
    this.entries = 0;
    this.#read(++this.#walk);
  }

  step(): boolean {
    if (!this.#isDone) this.#parts.feed.readOn();
    return this.#isDone;
  }

  stop(): void {
    this.#walk++;
  }

  #read(walk: number): void {
    const { feed, timers, logger, wake } = this.#parts;
    feed
      .tellAll()
      .then((entries) => {
        if (walk !== this.#walk) return;
        this.entries = entries;
        this.#isDone = true;
        wake();
      })
      .catch((error: unknown) => {
        if (walk !== this.#walk) return;
        logger.log('error', 'the kernel table cannot be read for the peer', {
          because: errorText(error),
        });
        timers.after(retryPause, () => {
          if (walk === this.#walk) this.#read(walk);
        });
      });
  }
}
