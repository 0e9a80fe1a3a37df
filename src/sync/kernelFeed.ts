/**
 * The internal cache's source: the kernel's events and dumps, through the mirror of the conntrack room, plus
 * expectations, own changes and the moments in which the kernel deletes in a mass.
 */
import type { Logger } from '../base/logger.js';
import {
  seconds,
  toSeconds,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from '../base/time.js';
import type { Expectation } from '../conntrack/expectation.js';
import { buildFilterProgram } from '../conntrack/filterProgram.js';
import type { FlowFilter } from '../conntrack/flowFilter.js';
import { FlowMirror, type ResyncResult } from '../conntrack/flowMirror.js';
import { KernelDump } from '../conntrack/kernelDump.js';
import { KernelWatch } from '../conntrack/kernelWatch.js';
import type { NameTable } from '../conntrack/nameTable.js';
import type { InternalCache } from './internalCache.js';
import type { SyncSettings } from './settings.js';

export interface KernelFeedOptions {
  readonly settings: SyncSettings;
  readonly names: NameTable;
  readonly cache: InternalCache;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly logger: Logger;
}

/**
 * Without PollSecs the table is compared with the kernel's this often. Flows that are older than the first
 * listener on the machine have no events under nf_conntrack_events 2, the default: their end is seen only here.
 */
const quietComparisonSeconds = 300;

export class KernelFeed {
  readonly mirror: FlowMirror;
  readonly watch: KernelWatch;
  readonly #options: KernelFeedOptions;
  readonly #own = new Set<number>();
  #massDeleteUntil = 0;

  /** Joins the event groups. Throws KernelError. */
  constructor(options: KernelFeedOptions) {
    this.#options = options;
    const { settings, names, cache, filter, clock, timers, turns, logger } = options;
    const filterProgram = kernelProgram(settings);
    cache.isMassDelete = () => clock.now() < this.#massDeleteUntil;
    this.mirror = new FlowMirror({
      table: cache.table,
      filter,
      // What the program leaves over, own addresses first, is looked at here in any case.
      kernelFilters: false,
      isOwnPort: (portId) => this.#own.has(portId),
      clock,
      turns,
      listener: cache,
    });
    this.watch = new KernelWatch(
      {
        names,
        ...(settings.netlinkBufferBytes === undefined
          ? {}
          : { bufferBytes: settings.netlinkBufferBytes }),
        maxBufferBytes: settings.netlinkBufferMaxGrowthBytes,
        reliable: settings.netlinkEventsReliable,
        expectations: settings.expectationSync !== 'off',
        ...(filterProgram === undefined ? {} : { filterProgram }),
        pollInterval: seconds(settings.pollSeconds ?? quietComparisonSeconds),
      },
      {
        mirror: this.mirror,
        isIgnoredPort: (portId) => cache.ignoresOwn && this.#own.has(portId),
        timers,
        turns,
        logger,
        onExpectation: (kind, expectation, portId) => {
          this.#expectation(kind, expectation, !this.#own.has(portId));
        },
      },
    );
  }

  /** Fills the cache for the first time; the peer hears nothing of it. */
  async start(): Promise<ResyncResult> {
    return this.#quietly(async () => {
      const result = await this.watch.start();
      await this.#fillExpectations();
      return result;
    });
  }

  /** `-R`: compares with the kernel; `tellPeer` is whether the differences are sent. */
  async resync(tellPeer: boolean): Promise<ResyncResult> {
    const run = async (): Promise<ResyncResult> => {
      const result = await this.watch.resync();
      await this.#fillExpectations();
      return result;
    };
    return tellPeer ? run() : this.#quietly(run);
  }

  /** Events with this port id are effects of our own requests. */
  addOwn(portId: number): void {
    this.#own.add(portId);
  }

  /** For the next `duration` the kernel's deletes follow from an address or link that went away. */
  expectMassDelete(duration: Microseconds): void {
    this.#massDeleteUntil = this.#options.clock.now() + duration;
  }

  close(): void {
    this.watch.close();
  }

  async #quietly<T>(work: () => Promise<T>): Promise<T> {
    const { cache } = this.#options;
    cache.tellsDumps = false;
    try {
      return await work();
    } finally {
      cache.tellsDumps = true;
    }
  }

  async #fillExpectations(): Promise<void> {
    const { settings, names } = this.#options;
    if (settings.expectationSync === 'off') return;
    const dump = new KernelDump({ kind: 'expectations' }, names, {
      expectation: (expectation) => {
        this.#expectation('new', expectation, false);
      },
    });
    await dump.done;
  }

  #expectation(kind: 'new' | 'destroy', expectation: Expectation, tellPeer: boolean): void {
    const { cache, settings } = this.#options;
    if (!isWanted(settings.expectationSync, expectation)) return;
    const now = Math.floor(toSeconds(this.#options.clock.now()));
    if (kind === 'new') cache.expectationSeen(expectation, now, tellPeer);
    else cache.expectationEnded(expectation, tellPeer);
  }
}

/**
 * `Filter From Kernelspace`: what the kernel can decide by protocol and state never wakes this thread. Addresses
 * are left to user space, where they mean the same for events as for dumps; in conntrackd they do not.
 */
function kernelProgram({ filter }: SyncSettings): Uint8Array | undefined {
  if (filter.from !== 'kernelspace') return undefined;
  const { protocol, tcpState } = filter;
  return buildFilterProgram({
    ...(protocol === undefined ? {} : { protocol }),
    ...(tcpState === undefined ? {} : { tcpState }),
  });
}

/** Helper names by prefix, in any case: `sip` matches `sip-5060` (conntrackd 1.4.7). */
function isWanted(setting: SyncSettings['expectationSync'], { helper }: Expectation): boolean {
  if (setting === 'off') return false;
  if (setting === 'all') return true;
  const name = (helper ?? '').toLowerCase();
  return setting.some((prefix) => name.startsWith(prefix.toLowerCase()));
}
