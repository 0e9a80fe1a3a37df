/**
 * Whether the internal cache is what the kernel holds, and why neither this node nor its peer can
 * say «equal» now.
 *
 *   cachedCheck.ts    compares the cache with the kernel and fills it again
 *   bypassedCheck.ts  there is no cache: counts alone (DisableInternalCache)
 */
import type { Logger } from '../../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { KernelCount } from '../../conntrack/kernel/kernelCount.js';
import type { KernelView } from '../messages.js';
import { KernelBalance } from './kernelBalance.js';

const readingPause = seconds(1);

/** How far the peer was sent what changed: the transmitter. */
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
  readonly ignoresOwn: boolean;
  readonly table: { readonly alive: number };
}

export interface KernelCheckParts {
  readonly internal: CheckedCache;
  readonly feed: () => CheckedFeed;
  readonly transmitter: () => Delivery;
  readonly startBulk: (because: string) => void;
  readonly count: Pick<KernelCount, 'read' | 'close'>;
  /** Flows of the kernel that stand there for the peer. */
  readonly injected: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface KernelCheck {
  /** Why parity is unknown, here and at the peer; undefined where nothing speaks against it. */
  readonly doubt: string | undefined;
  readonly view: KernelView;
  /** The internal cache was emptied by a verb. */
  emptied(): void;
  roleChanged(): void;
  /** A comparison was complete, whoever asked for it. */
  compared(result: ResyncResult, startedAt: Microseconds): void;
  /** About ten times a second. */
  tick(now: Microseconds): void;
  /**
   * For a hand-over: the cache is what the kernel holds when this resolves. Rejects with
   * KernelError.
   */
  compareNow(): Promise<void>;
  close(): void;
}

/** Both counts, read once a second. */
export class KernelReadings {
  readonly balance = new KernelBalance();
  readonly #parts: Pick<KernelCheckParts, 'internal' | 'count' | 'injected' | 'clock'>;
  #readAt: Microseconds | undefined;

  constructor(parts: Pick<KernelCheckParts, 'internal' | 'count' | 'injected' | 'clock'>) {
    this.#parts = parts;
  }

  get view(): KernelView {
    const { kernel, ignored, isApart, isEmptied } = this.balance;
    return {
      ...(kernel === undefined ? {} : { flows: kernel }),
      ...(ignored === undefined ? {} : { ignored }),
      isApart,
      isEmptied,
    };
  }

  compared({ ignored }: ResyncResult, startedAt: Microseconds): void {
    const { clock, count } = this.#parts;
    const endedAt = clock.now();
    this.balance.compared({
      startedAt,
      endedAt,
      ignored,
      kernel: count.read(),
      cache: this.#known,
    });
  }

  /** True once a second. */
  tick(now: Microseconds): boolean {
    if (this.#readAt !== undefined && subtractTime(now, this.#readAt) < readingPause) return false;
    this.#readAt = now;
    const { count, internal } = this.#parts;
    const kernel = count.read();
    // What is committed in advance stands in the kernel and in no cache of this node: the two part
    // by it.
    if (kernel !== undefined && !internal.ignoresOwn) this.balance.read(kernel, this.#known);
    return true;
  }

  close(): void {
    this.#parts.count.close();
  }

  get #known(): number {
    return this.#parts.internal.table.alive + this.#parts.injected();
  }
}
