/**
 * Removes flows from the kernel's table for a purge, or because the client asks for it. Decides
 * nothing (purging.ts).
 */
import type { Logger } from '../../base/logger.js';
import type { Clock } from '../../base/time.js';
import type { ComparingPeer } from '../comparison/comparedPurge.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import { errorText } from '../../base/errors.js';
import { FailureLog } from '../failureLog.js';
import type { KernelFeed } from '../local/kernelFeed.js';
import type { PurgeOutcome } from './roleEvents.js';

export interface PurgeWorkOptions {
  readonly names: NameTable;
  readonly feed: () => Pick<KernelFeed, 'addOwn'>;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A flow that stands in the kernel because the peer told it (DisableExternalCache): it stays. */
  readonly isInjected: (flow: FlowCursor) => boolean;
}

export class PurgeWork {
  readonly #options: PurgeWorkOptions;
  /** What removes flows now; one at a time. */
  #running: Promise<unknown> | undefined;
  /** Grows with each stop: what began before removes nothing more. */
  #generation = 0;

  constructor(options: PurgeWorkOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#generation++;
  }

  /** All that was not injected for the peer. Rejects with KernelError. */
  async removeAll(): Promise<PurgeOutcome> {
    const isOver = this.#over();
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    const removed = await this.#exclusively(this.#remove(isOver, this.#options.isInjected));
    return { kind: 'all', removed };
  }

  /** What the MASTER holds or has ended. Rejects with KernelError. */
  async removeCompared(peer: ComparingPeer | undefined): Promise<PurgeOutcome> {
    return peer?.purge(this.#over()) ?? { kind: 'cannot' };
  }

  /**
   * The client's: all that passes the filter; number of flows, 0 while another removal runs.
   * Failures are logged.
   */
  async flush(what: string): Promise<number> {
    if (this.#running !== undefined) return 0;
    const { logger } = this.#options;
    try {
      const removed = await this.#exclusively(this.#remove());
      logger.log('notice', what, { removed });
      return removed;
    } catch (error) {
      logger.log('error', `${what} failed`, { reason: errorText(error) });
      return 0;
    }
  }

  #over(): () => boolean {
    const generation = this.#generation;
    return () => generation !== this.#generation;
  }

  #exclusively<T>(work: Promise<T>): Promise<T> {
    const running = work.finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #remove(
    isOver = (): boolean => false,
    stays: (flow: FlowCursor) => boolean = () => false,
  ): Promise<number> {
    const { names, feed, filter } = this.#options;
    const failures = new FailureLog('a flow could not be purged', this.#options);
    const how = { windowTracking: false, onExisting: 'keep' } as const;
    const injector = new FlowInjector(how, undefined, (_slot, errno) => {
      failures.note(errno);
    });
    const closed = feed().addOwn(injector.portId);
    let removed = 0;
    try {
      const dump = new KernelDump({ kind: 'flows' }, names, {
        flow: (flow) => {
          if (isOver() || !filter.accepts(flow) || stays(flow)) return;
          injector.remove(flow, 0);
          removed++;
        },
      });
      await dump.done;
      if (!isOver()) injector.flush();
    } finally {
      injector.close();
      closed();
    }
    return removed - injector.counts.failed;
  }
}
