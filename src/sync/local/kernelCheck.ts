/**
 * Whether the internal cache is what the kernel holds: counts both once a second, compares their
 * content when kernelBalance.ts says so, fills an emptied cache again, and knows why neither this
 * node nor its peer can say «equal» now.
 */
import { errorText } from '../errorText.js';
import type { Logger } from '../../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { KernelCount } from '../../conntrack/kernel/kernelCount.js';
import { KernelBalance, type ComparisonDue } from './kernelBalance.js';
import type { KernelView } from '../messages.js';

const readingPause = seconds(1);
/** After a comparison that failed. */
const retryPause = seconds(1);

const lost = 'events of the kernel were lost: its table is being compared';
const missed = 'flows that began during a commit are still to be found in the kernel';
const untold = 'what a comparison with the kernel found is not at the peer yet';

/** How far the peer was told: the transmitter. */
export interface Delivery {
  readonly isAllSent: boolean;
  readonly nextSequence: number;
  isAcknowledgedBefore(sequence: number): boolean;
}

/** What is asked of the kernel feed. */
export interface CheckedFeed {
  readonly watch: { readonly hasLost: boolean };
  readonly hasMissed: boolean;
  readonly mirror: { readonly isResyncing: boolean };
  compare(): Promise<ResyncResult>;
  resync(): Promise<ResyncResult>;
}

/** What is asked of the internal cache. */
export interface CheckedCache {
  readonly passesThrough: boolean;
  readonly ignoresOwn: boolean;
  readonly table: { readonly alive: number };
}

export interface KernelCheckParts {
  readonly internal: CheckedCache;
  readonly feed: () => CheckedFeed;
  readonly transmitter: () => Delivery;
  readonly startBulk: (because: string) => void;
  readonly count: Pick<KernelCount, 'read' | 'close'>;
  /** DisableExternalCache: flows of the kernel that stand there for the peer. */
  readonly injected: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class KernelCheck {
  readonly #parts: KernelCheckParts;
  readonly #balance = new KernelBalance();
  #readAt: Microseconds | undefined;
  #failedAt: Microseconds | undefined;
  #running: Promise<void> | undefined;
  /**
   * What a comparison found is on its way: `mark` is the number behind it, once everything was
   * sent.
   */
  #telling: { mark?: number } | undefined;

  constructor(parts: KernelCheckParts) {
    this.#parts = parts;
  }

  /**
   * Why parity is unknown, here and at the peer; undefined where the cache is what the kernel
   * holds.
   */
  get doubt(): string | undefined {
    const { internal, feed } = this.#parts;
    if (internal.passesThrough) return undefined;
    if (feed().watch.hasLost) return lost;
    // While flows are committed in advance nothing can be found, and the other node is MASTER.
    if (feed().hasMissed && !internal.ignoresOwn) return missed;
    return this.#balance.doubt ?? (this.#telling === undefined ? undefined : untold);
  }

  get view(): KernelView {
    const { kernel, ignored, isApart, isEmptied } = this.#balance;
    return {
      ...(kernel === undefined ? {} : { flows: kernel }),
      ...(ignored === undefined ? {} : { ignored }),
      isApart,
      isEmptied,
      ...(this.doubt === undefined ? {} : { doubt: this.doubt }),
    };
  }

  /** The internal cache was emptied by a verb. */
  emptied(): void {
    this.#balance.emptied(this.#parts.clock.now());
    this.#failedAt = undefined;
  }

  roleChanged(): void {
    this.#balance.roleChanged(this.#parts.clock.now());
  }

  /** A comparison was complete, whoever asked for it. */
  readonly compared = (result: ResyncResult, startedAt: Microseconds): void => {
    const { ignored, created, updated, removed } = result;
    const endedAt = this.#parts.clock.now();
    const kernel = this.#parts.count.read();
    this.#balance.compared({ startedAt, endedAt, ignored, kernel, cache: this.#known });
    if (created + updated + removed > 0) this.#telling = {};
  };

  /** About ten times a second. */
  tick(now: Microseconds): void {
    this.#followTelling();
    if (this.#parts.internal.passesThrough) {
      this.#read(now);
      return;
    }
    const isRead = this.#read(now);
    const due = this.#balance.due(now);
    if (due === undefined || !(isRead || due.isEmptied) || !this.#isFree(now)) return;
    this.#parts.logger.log('notice', 'comparing with the kernel', { because: due.because });
    this.#running = this.#mend(due)
      .catch((error: unknown) => {
        this.#failedAt = this.#parts.clock.now();
        this.#parts.logger.log('error', 'comparison with the kernel failed', {
          because: errorText(error),
        });
      })
      .finally(() => (this.#running = undefined));
  }

  /**
   * For a hand-over: the cache is what the kernel holds when this resolves. Rejects with
   * KernelError.
   */
  async compareNow(): Promise<void> {
    const { internal, feed } = this.#parts;
    if (internal.passesThrough) return;
    await this.#running;
    if (!this.#balance.isEmptied) await feed().compare();
    // What runs already may have begun before the cache was emptied.
    while (this.#balance.isEmptied) await this.#refill();
  }

  close(): void {
    this.#parts.count.close();
  }

  #isFree(now: Microseconds): boolean {
    const { internal, feed } = this.#parts;
    const isPausing =
      this.#failedAt !== undefined && subtractTime(now, this.#failedAt) < retryPause;
    // Flows that are committed in advance stand in the kernel and are none of this node's.
    return (
      this.#running === undefined &&
      !isPausing &&
      !internal.ignoresOwn &&
      !feed().mirror.isResyncing
    );
  }

  async #mend({ isEmptied }: ComparisonDue): Promise<void> {
    if (isEmptied) {
      await this.#refill();
      return;
    }
    const { created, updated, removed } = await this.#parts.feed().compare();
    if (created + removed === 0) return;
    this.#parts.logger.log('notice', 'table equals the kernel again', {
      created,
      updated,
      removed,
    });
  }

  /**
   * Told as a bulk: what ended while the cache was empty is gone at the peer with the bulk's end.
   */
  async #refill(): Promise<void> {
    const { feed, internal, startBulk, logger } = this.#parts;
    await feed().resync();
    startBulk('the internal cache was emptied');
    logger.log('notice', 'the internal cache was filled again', { entries: internal.table.alive });
  }

  /** True once a second. */
  #read(now: Microseconds): boolean {
    if (this.#readAt !== undefined && subtractTime(now, this.#readAt) < readingPause) return false;
    this.#readAt = now;
    const kernel = this.#parts.count.read();
    // What is committed in advance stands in the kernel and in no cache of this node: the two part
    // by it.
    const isComparable = !this.#parts.internal.ignoresOwn;
    if (kernel !== undefined && isComparable) this.#balance.read(kernel, this.#known);
    return true;
  }

  get #known(): number {
    return this.#parts.internal.table.alive + this.#parts.injected();
  }

  #followTelling(): void {
    const telling = this.#telling;
    if (telling === undefined) return;
    const transmitter = this.#parts.transmitter();
    if (telling.mark === undefined && transmitter.isAllSent)
      telling.mark = transmitter.nextSequence;
    if (telling.mark !== undefined && transmitter.isAcknowledgedBefore(telling.mark)) {
      this.#telling = undefined;
    }
  }
}
