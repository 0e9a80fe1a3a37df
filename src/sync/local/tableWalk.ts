/** The walk of a bulk through the internal cache, a few slots at a time. */
import type { BulkSink, Walk } from '../tables/changeListener.js';
import { membership, membershipOf } from '../tables/slotQueue.js';
import type { InternalCache } from './internalCache.js';

const slotsPerStep = 64;

export class TableWalk implements Walk {
  entries = 0;
  readonly #cache: Pick<InternalCache, 'table' | 'expectations'>;
  readonly #sink: BulkSink;
  #slot = 0;

  constructor(cache: Pick<InternalCache, 'table' | 'expectations'>, sink: BulkSink) {
    this.#cache = cache;
    this.#sink = sink;
  }

  begin(): void {
    this.#slot = 0;
    this.entries = 0;
  }

  step(): boolean {
    const { table, expectations } = this.#cache;
    for (let i = 0; i < slotsPerStep; i++) {
      this.#slot = table.next(this.#slot);
      if (this.#slot === 0) {
        for (const entry of expectations) this.#sink.expectationChanged(entry);
        return true;
      }
      this.entries++;
      if (membershipOf(table, this.#slot) !== membership.transmit) {
        this.#sink.flowChanged(this.#slot);
      }
    }
    return false;
  }

  stop(): void {
    this.#slot = 0;
  }
}
