/**
 * The internal cache beside the kernel's table: counts both once a second, compares their content
 * when kernelBalance.ts says so, fills an emptied cache again, and knows why neither this node nor
 * its peer can say «equal» now.
 */
import { errorText } from '../../base/errors.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { KernelView } from '../messages.js';
import type { ComparisonDue, KernelBalance } from './kernelBalance.js';
import { KernelReadings, type KernelCheck, type KernelCheckParts } from './kernelCheck.js';

/** After a comparison that failed. */
const retryPause = seconds(1);

const lost = 'events of the kernel were lost: its table is being compared';
const missed = 'flows that began during a commit are still to be found in the kernel';
const unsent = 'what a comparison with the kernel found is not at the peer yet';

export class CachedCheck implements KernelCheck {
  readonly #parts: KernelCheckParts;
  readonly #readings: KernelReadings;
  readonly #balance: KernelBalance;
  #failedAt: Microseconds | undefined;
  #running: Promise<void> | undefined;
  /**
   * What a comparison found is on its way: `mark` is the number behind it, once everything was
   * sent.
   */
  #sending: { mark?: number } | undefined;

  constructor(parts: KernelCheckParts) {
    this.#parts = parts;
    this.#readings = new KernelReadings(parts);
    this.#balance = this.#readings.balance;
  }

  /**
   * undefined where the cache is what the kernel holds.
   */
  get doubt(): string | undefined {
    const { internal, feed } = this.#parts;
    if (feed().watch.hasLost) return lost;
    // While flows are committed in advance nothing can be found, and the other node is MASTER.
    if (feed().hasMissed && !internal.ignoresOwn) return missed;
    return this.#balance.doubt ?? (this.#sending === undefined ? undefined : unsent);
  }

  get view(): KernelView {
    const { doubt } = this;
    return { ...this.#readings.view, ...(doubt === undefined ? {} : { doubt }) };
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
  compared(result: ResyncResult, startedAt: Microseconds): void {
    const { created, updated, removed } = result;
    this.#readings.compared(result, startedAt);
    if (created + updated + removed > 0) this.#sending = {};
  }

  /** About ten times a second. */
  tick(now: Microseconds): void {
    this.#followSending();
    const isRead = this.#readings.tick(now);
    const due = this.#balance.due(now);
    if (due === undefined || !(isRead || due.isEmptied) || !this.#isFree(now)) return;
    this.#parts.logger.log('notice', 'comparing with the kernel', { reason: due.because });
    this.#running = this.#repair(due)
      .catch((error: unknown) => {
        this.#failedAt = this.#parts.clock.now();
        this.#parts.logger.log('error', 'comparison with the kernel failed', {
          reason: errorText(error),
        });
      })
      .finally(() => (this.#running = undefined));
  }

  /**
   * For a hand-over: the cache is what the kernel holds when this resolves. Rejects with
   * KernelError.
   */
  async compareNow(): Promise<void> {
    await this.#running;
    if (!this.#balance.isEmptied) await this.#parts.feed().compare();
    // What runs already may have begun before the cache was emptied.
    while (this.#balance.isEmptied) await this.#refill();
  }

  close(): void {
    this.#readings.close();
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

  async #repair({ isEmptied }: ComparisonDue): Promise<void> {
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
   * Sent as a bulk: what ended while the cache was empty is gone at the peer with the bulk's end.
   */
  async #refill(): Promise<void> {
    const { feed, internal, startBulk, logger } = this.#parts;
    await feed().resync();
    startBulk('the internal cache was emptied');
    logger.log('notice', 'the internal cache was filled again', { entries: internal.table.alive });
  }

  #followSending(): void {
    const sending = this.#sending;
    if (sending === undefined) return;
    const transmitter = this.#parts.transmitter();
    if (sending.mark === undefined && transmitter.isAllSent)
      sending.mark = transmitter.nextSequence;
    if (sending.mark !== undefined && transmitter.isAcknowledgedBefore(sending.mark)) {
      this.#sending = undefined;
    }
  }
}
