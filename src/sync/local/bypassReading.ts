/**
 * DisableInternalCache: reading the kernel's table for the peer, as fast as the peer is sent what
 * was read. A comparison of the mirror does the reading; it waits where too much of it waits to be
 * sent.
 */
import type { DumpHandler, RunningDump } from '../../conntrack/kernel/kernelDump.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { InternalCache } from './internalCache.js';
import type { KernelReader } from './bypassWalk.js';

/** Flows that may wait to be sent before no more are read. */
const mostWaiting = 4_096;

export interface BypassReadingParts {
  readonly cache: Pick<InternalCache, 'table' | 'comparisonEnded'>;
  readonly openDump: (handler: DumpHandler) => RunningDump;
  readonly isResyncing: () => boolean;
  /** Compares with the kernel; during a comparison that one is the answer. */
  readonly resync: () => Promise<ResyncResult>;
  readonly compareExpectations: () => Promise<unknown>;
}

export class BypassReading implements KernelReader {
  readonly #parts: BypassReadingParts;
  /** A dump that waits until more can be sent. */
  #waiting: RunningDump | undefined;

  constructor(parts: BypassReadingParts) {
    this.#parts = parts;
  }

  async sendAll(): Promise<number> {
    const { cache, isResyncing, resync, compareExpectations } = this.#parts;
    // What runs began before this was wanted, and may have sent some of it before that.
    if (isResyncing()) await resync().catch(() => undefined);
    try {
      const { created, updated } = await resync();
      await compareExpectations();
      return created + updated;
    } finally {
      // Another reading may have begun: it ends that one's too.
      if (!isResyncing()) cache.comparisonEnded();
    }
  }

  readOn(): void {
    const dump = this.#waiting;
    this.#waiting = undefined;
    dump?.resume();
  }

  /** For the mirror. */
  start(handler: DumpHandler): RunningDump {
    const { cache, openDump } = this.#parts;
    const dump = openDump({
      ...handler,
      batch: () => {
        handler.batch?.();
        if (cache.table.count < mostWaiting) return;
        this.#waiting = dump;
        dump.pause();
      },
    });
    return dump;
  }
}
