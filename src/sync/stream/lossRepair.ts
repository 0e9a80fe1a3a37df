/**
 * NOTRACK has no acknowledgements: what is lost stays lost. Where nobody compares the tables (flows
 * that go straight into the kernel, a peer that is no keepstate) the peer's whole table is asked
 * for again. A network that goes on losing is asked less and less often.
 */
import { microseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { SyncSettings } from '../settings.js';
import type { SequenceCounters } from './modes/machine.js';

const firstPause = seconds(5);
const longestPause = seconds(300);

/** Of an engine. */
export interface LossyStream {
  readonly settings: Pick<SyncSettings, 'mode'>;
  /** `committable`: flows are kept here, and can be compared with the peer's. */
  readonly externalMode: { readonly committable: unknown };
  readonly replicator: { readonly machine: { readonly counters: SequenceCounters } };
  /** The peer is a keepstate that compares. */
  announcesEnds(now: Microseconds): boolean;
  askForAll(because: string): void;
}

/** Stands beside an engine, as an observer of it. */
export class LossRepair {
  readonly #stream: LossyStream;
  /** Messages that were missing when the table was last asked for. */
  #known = 0;
  #askedAt: Microseconds | undefined;
  #pause = firstPause;

  constructor(stream: LossyStream) {
    this.#stream = stream;
  }

  tick(now: Microseconds): void {
    const { settings, externalMode, replicator } = this.#stream;
    const isCompared = externalMode.committable !== undefined && this.#stream.announcesEnds(now);
    const { lost, before } = replicator.machine.counters;
    if (settings.mode !== 'NOTRACK' || isCompared || !this.#isDue(lost - before, now)) return;
    this.#stream.askForAll('messages of the peer were lost');
  }

  /** `missing`: messages that never came, so far. True: it is time to ask. */
  #isDue(missing: number, now: Microseconds): boolean {
    const since = this.#askedAt === undefined ? undefined : subtractTime(now, this.#askedAt);
    if (since !== undefined && since < this.#pause) return false;
    if (missing <= this.#known) {
      // What came late was counted as missing before.
      this.#known = missing;
      this.#pause = firstPause;
      return false;
    }
    this.#known = missing;
    if (since !== undefined) this.#pause = twice(this.#pause);
    this.#askedAt = now;
    return true;
  }
}

function twice(pause: Microseconds): Microseconds {
  return microseconds(Math.min(2 * pause, longestPause));
}
