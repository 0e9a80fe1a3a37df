/**
 * DisableInternalCache: reading the kernel's table for the peer, as fast as the peer is told. A comparison of the mirror
 * does the reading; it waits where too much of it waits to be told.
 */
import type { DumpHandler, RunningDump } from '../../conntrack/kernel/kernelDump.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { InternalCache } from './internalCache.js';

/** Flows that may wait to be told before no more are read. */
const mostWaiting = 4_096;

export interface TableReadingParts {
  readonly cache: InternalCache;
  readonly openDump: (handler: DumpHandler) => RunningDump;
  readonly isResyncing: () => boolean;
  /** Compares with the kernel; during a comparison that one is the answer. */
  readonly resync: () => Promise<ResyncResult>;
  readonly compareExpectations: () => Promise<unknown>;
}

export class TableReading {
  readonly #parts: TableReadingParts;
  /** A dump that waits until more can be told. */
  #waiting: RunningDump | undefined;

  constructor(parts: TableReadingParts) {
    this.#parts = parts;
  }

  /** Number of flows that were read for the peer. Rejects with KernelError. */
  async tellAll(): Promise<number> {
    const { cache, isResyncing, resync, compareExpectations } = this.#parts;
    // What runs began before this was wanted, and may have told some of it before that.
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

  /** What was read was told. */
  readOn(): void {
    const dump = this.#waiting;
    this.#waiting = undefined;
    dump?.resume();
  }

  /** For the mirror: with an internal cache nothing ever waits. */
  start(handler: DumpHandler): RunningDump {
    const { cache, openDump } = this.#parts;
    const dump = openDump({
      ...handler,
      batch: () => {
        handler.batch?.();
        if (!cache.passesThrough || cache.table.count < mostWaiting) return;
        this.#waiting = dump;
        dump.pause();
      },
    });
    return dump;
  }
}
