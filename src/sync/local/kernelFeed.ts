/**
 * The internal cache's source: the kernel's events and dumps, through the mirror of the conntrack room, plus
 * expectations, own changes and the moments in which the kernel deletes in a mass.
 */
import type { Logger } from '../../base/logger.js';
import {
  seconds,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from '../../base/time.js';
import { buildFilterProgram } from '../../conntrack/kernel/filterProgram.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import { FlowMirror, type ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import { KernelWatch } from '../../conntrack/kernel/kernelWatch.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import { errorText } from '../errorText.js';
import { ExpectationFeed } from './expectationFeed.js';
import type { InternalCache } from './internalCache.js';
import { OwnPorts } from './ownPorts.js';
import type { SyncSettings } from '../settings.js';
import { TableReading } from './tableReading.js';

export interface KernelFeedOptions {
  readonly settings: SyncSettings;
  readonly names: NameTable;
  readonly cache: InternalCache;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly logger: Logger;
  /** DisableInternalCache: only telling the peer everything makes up for lost events. */
  readonly tellEverything: (because: string) => void;
  /** A comparison was complete. */
  readonly compared: (result: ResyncResult, startedAt: Microseconds) => void;
}

/**
 * Without PollSecs the table is compared with the kernel's this often. Flows that are older than the first
 * listener on the machine have no events under nf_conntrack_events 2, the default: their end is seen only here.
 */
const quietComparisonSeconds = 300;
const nothingRead: ResyncResult = {
  entries: 0,
  ignored: 0,
  created: 0,
  updated: 0,
  removed: 0,
  duration: 0 as Microseconds,
};

export class KernelFeed {
  readonly mirror: FlowMirror;
  readonly watch: KernelWatch;
  readonly expectations: ExpectationFeed;
  readonly #options: KernelFeedOptions;
  readonly #own = new OwnPorts();
  #hasMissed = false;
  /** 0: no such time. */
  #massDeleteUntil = 0;
  readonly #reading: TableReading;

  /** Joins the event groups. Throws KernelError. */
  constructor(options: KernelFeedOptions) {
    this.#options = options;
    const { settings, names, cache, filter, clock, timers, turns, logger } = options;
    const filterProgram = kernelProgram(settings);
    const { passesThrough, injected } = cache;
    this.expectations = new ExpectationFeed({ ...options, setting: settings.expectationSync });
    cache.isMassDelete = () => this.#isMassDelete();
    this.#reading = new TableReading({
      cache,
      openDump: (handler) =>
        new KernelDump({ kind: 'flows' }, names, {
          ...handler,
          malformed: (error) => this.watch.notUnderstood(error),
        }),
      isResyncing: () => this.mirror.isResyncing,
      resync: () => this.watch.resync(),
      compareExpectations: () => this.expectations.compare(true),
    });
    this.mirror = new FlowMirror({
      table: cache.table,
      filter,
      // What the program leaves over, own addresses first, is looked at here in any case.
      kernelFilters: false,
      isOwnPort: (portId) => this.#own.has(portId),
      clock,
      turns,
      listener: cache,
      passesThrough,
      ...(injected === undefined ? {} : { injected }),
      startDump: (handler) => this.#reading.start(handler),
      passEnded: options.compared,
    });
    cache.isComparing = () => this.mirror.isResyncing;
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
        ...pollIntervalOf(settings, passesThrough),
      },
      {
        mirror: this.mirror,
        isHeld: () => cache.ignoresOwn,
        isIgnoredPort: (portId) => cache.ignoresOwn && this.#own.has(portId),
        timers,
        turns,
        logger,
        onExpectation: (kind, expectation, portId) => {
          this.expectations.event(kind, expectation, !this.#own.has(portId));
        },
        onResync: () => {
          this.#compareExpectations();
        },
        ...(passesThrough
          ? { compare: (because) => options.tellEverything(`compared with the kernel: ${because}`) }
          : {}),
      },
    );
  }

  /** Fills the cache for the first time, where there is one; the peer hears nothing of it. */
  async start(): Promise<ResyncResult> {
    this.watch.follow();
    if (this.#options.cache.passesThrough) return nothingRead;
    const result = await this.#quietPass();
    await this.expectations.compare(false);
    return result;
  }

  /** `-R`: compares with the kernel, and the peer hears nothing of it. Without a cache there is nothing to compare. */
  async resync(): Promise<ResyncResult> {
    const { cache } = this.#options;
    if (cache.passesThrough) return nothingRead;
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    try {
      // A comparison that runs already has perhaps passed by the place of a flow that no event tells of.
      if (hasMissed && this.mirror.isResyncing) await this.watch.resync();
      const result = await this.#quietPass();
      await this.expectations.compare(false);
      return result;
    } catch (error) {
      this.#hasMissed ||= hasMissed;
      throw error;
    }
  }

  /** Compares with the kernel, and the peer hears of each difference. Rejects with KernelError. */
  async compare(): Promise<ResyncResult> {
    // What runs may have passed by the place of a flow already, or the peer hears nothing of it.
    while (this.mirror.isResyncing) await this.watch.resync();
    const result = await this.watch.resync();
    await this.expectations.compare(true);
    return result;
  }

  /** DisableInternalCache: reads the kernel's table for the peer; number of flows. Rejects with KernelError. */
  tellAll(): Promise<number> {
    return this.#reading.tellAll();
  }

  /** What `tellAll` read was told. */
  readOn(): void {
    this.#reading.readOn();
  }

  /** Events with this port id are effects of our own requests. To be called back once its socket was closed. */
  addOwn(portId: number): () => void {
    this.#own.opened(portId);
    return () => {
      this.#own.closed(portId);
    };
  }

  /** Off while this node creates many flows. Whoever had it off lets a comparison follow (`resync`). */
  hearBeginnings(on: boolean): void {
    if (!on) this.#hasMissed = true;
    this.watch.events.hearBeginnings(on);
  }

  /** Flows may have begun that no event told of and no comparison found. */
  get hasMissed(): boolean {
    return this.#hasMissed;
  }

  /** For the next `duration` the kernel's deletes follow from an address or link that went away. */
  expectMassDelete(duration: Microseconds): void {
    this.#massDeleteUntil = this.#options.clock.now() + duration;
  }

  close(): void {
    this.watch.close();
  }

  /** Asked for each end of a flow: nearly always there is no such time, and the clock is not looked at. */
  #isMassDelete(): boolean {
    if (this.#massDeleteUntil === 0) return false;
    if (this.#options.clock.now() < this.#massDeleteUntil) return true;
    this.#massDeleteUntil = 0;
    return false;
  }

  /** A comparison of which the peer hears nothing. One that it shall hear of, and that runs, is left to end first. */
  async #quietPass(): Promise<ResyncResult> {
    const { cache } = this.#options;
    while (this.mirror.isResyncing && cache.tellsDumps) await this.watch.resync();
    cache.tellsDumps = false;
    try {
      return await this.watch.resync();
    } finally {
      cache.tellsDumps = true;
    }
  }

  #compareExpectations(): void {
    this.expectations.compare(true).catch((error: unknown) => {
      this.#options.logger.log('error', 'comparison with the expectations of the kernel failed', {
        because: errorText(error),
      });
    });
  }
}

/** Without a cache a comparison tells the peer everything: only where PollSecs asks for that. */
function pollIntervalOf(
  { pollSeconds }: SyncSettings,
  passesThrough: boolean,
): { readonly pollInterval?: Microseconds } {
  if (passesThrough && pollSeconds === undefined) return {};
  return { pollInterval: seconds(pollSeconds ?? quietComparisonSeconds) };
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
