/**
 * The internal cache's source: the kernel's events and dumps, through the mirror of the conntrack
 * room, plus expectations, own changes and the moments in which the kernel deletes in a mass.
 *
 *   cachedFeed.ts    fills a cache and keeps it equal to the kernel's table
 *   bypassedFeed.ts  reads the kernel's table for each bulk (DisableInternalCache)
 */
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Clock, Microseconds, Timers, Turns } from '../../base/time.js';
import { buildFilterProgram } from '../../conntrack/kernel/filterProgram.js';
import { seekMaster } from '../../conntrack/codec/expectation.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import { FlowLookup } from '../../conntrack/kernel/flowLookup.js';
import type { FlowMirror, MirrorOptions, ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import {
  KernelDump,
  type DumpHandler,
  type RunningDump,
} from '../../conntrack/kernel/kernelDump.js';
import type { InjectedFlows } from '../../conntrack/kernel/mirrorListener.js';
import type { EventMessage } from '../../conntrack/kernel/kernelEvents.js';
import { KernelWatch } from '../../conntrack/kernel/kernelWatch.js';
import { newScratch, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import { AdjustmentReads } from './adjustmentReads.js';
import { ExpectationFeed, type ExpectationRules } from './expectationFeed.js';
import type { FeedState, InternalCache } from './internalCache.js';
import { OwnPorts } from './ownPorts.js';
import type { SyncSettings } from '../settings.js';
import type { BulkSink, Walk } from '../tables/changeListener.js';

export interface KernelFeedOptions {
  readonly settings: SyncSettings;
  readonly names: NameTable;
  readonly cache: InternalCache;
  readonly filter: FlowFilter;
  /** What stands in the kernel for the peer; absent: nothing. */
  readonly injected?: InjectedFlows;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly logger: Logger;
  /** Sends the peer everything: where there is no cache nothing else makes up for lost events. */
  readonly startBulk: (because: string) => void;
  /** A comparison was complete. */
  readonly compared: (result: ResyncResult, startedAt: Microseconds) => void;
}

/** What a feed with a cache and one without have each for itself. */
export interface FeedVariant {
  readonly newMirror: (options: MirrorOptions) => FlowMirror;
  readonly expectationRules: ExpectationRules;
  /**
   * Absent: the table is compared with the kernel's where events were lost, and else never by
   * itself.
   */
  readonly pollInterval?: Microseconds;
  /** In place of a comparison by itself. */
  readonly compareByItself?: (because: 'overrun' | 'poll') => void;
}

export abstract class KernelFeed implements FeedState {
  readonly mirror: FlowMirror;
  readonly watch: KernelWatch;
  readonly expectations: ExpectationFeed;
  /** Flows may have begun without an event, and no comparison has found them. */
  abstract readonly hasMissed: boolean;
  protected readonly options: KernelFeedOptions;
  readonly #own = new OwnPorts();
  readonly #adjustments: AdjustmentReads;
  readonly #master: FlowCursor;
  /** 0: no such time. */
  #massDeleteUntil = 0;

  /** Joins the event groups. Throws KernelError. */
  protected constructor(options: KernelFeedOptions, variant: FeedVariant) {
    this.options = options;
    const { settings, names, cache, filter, clock, timers, turns, logger } = options;
    const filterProgram = kernelProgram(settings);
    this.#master = newScratch(names);
    this.#adjustments = new AdjustmentReads({
      ...{ names, timers, logger },
      open: () => new FlowLookup(names),
      onRead: (flow) => {
        // What is committed in advance is none of this node's flows.
        if (!cache.ignoresOwn) this.mirror.adjusted(flow);
      },
    });
    cache.onUnknownAdjustment((flow) => this.#adjustments.mayBeAdjusted(flow));
    this.expectations = new ExpectationFeed({
      ...options,
      setting: settings.expectationSync,
      rules: variant.expectationRules,
    });
    this.mirror = variant.newMirror({
      table: cache.table,
      filter,
      // What the program leaves over, own addresses first, is looked at here in any case.
      kernelFilters: false,
      isOwnPort: (portId) => this.#own.has(portId),
      clock,
      turns,
      listener: cache,
      ...(options.injected === undefined ? {} : { injected: options.injected }),
      startDump: (handler) => this.startDump(handler),
      passEnded: options.compared,
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
        ...(variant.pollInterval === undefined ? {} : { pollInterval: variant.pollInterval }),
      },
      {
        mirror: this.mirror,
        isHeld: () => cache.ignoresOwn,
        isIgnoredPort: (portId) => cache.ignoresOwn && this.#own.has(portId),
        timers,
        turns,
        logger,
        onExpectation: (kind, expectation, portId) => {
          const isOwn = this.#own.has(portId);
          this.expectations.event(kind, expectation, !isOwn);
          if (kind === 'destroy' || isOwn) return;
          this.#adjustments.mayBeAdjusted(seekMaster(this.#master, expectation));
        },
        onResync: () => {
          this.#compareExpectations();
        },
        ...(variant.compareByItself === undefined ? {} : { compare: variant.compareByItself }),
      },
    );
  }

  /**
   * Begins to read events, and fills the cache where there is one; the peer hears nothing of it.
   * Rejects with KernelError.
   */
  abstract start(): Promise<ResyncResult>;

  /** `-R`: compares with the kernel, and the peer hears nothing of it. Rejects with KernelError. */
  abstract resync(): Promise<ResyncResult>;

  /** Where a bulk finds this node's flows; `wake`: there is more to send. */
  abstract newWalk(sink: BulkSink, wake: () => void): Walk;

  /**
   * Off while this node creates many flows. Whoever had it off lets a comparison follow (`resync`).
   */
  abstract subscribeNew(on: boolean): void;

  abstract replicatesDumps(): boolean;

  /** Compares with the kernel, and the peer hears of each difference. Rejects with KernelError. */
  async compare(): Promise<ResyncResult> {
    // What runs may have passed by the place of a flow already, or the peer hears nothing of it.
    while (this.mirror.isResyncing) await this.watch.resync();
    const result = await this.watch.resync();
    await this.expectations.compare(true);
    return result;
  }

  isComparing(): boolean {
    return this.mirror.isResyncing;
  }

  eventMessage(): EventMessage {
    return this.watch.events.message;
  }

  /**
   * Events with this port id are effects of our own requests. To be called back once its socket was
   * closed.
   */
  addOwn(portId: number): () => void {
    this.#own.opened(portId);
    return () => {
      this.#own.closed(portId);
    };
  }

  /** For the next `duration` the kernel's deletes follow from an address or link that went away. */
  expectMassDelete(duration: Microseconds): void {
    this.#massDeleteUntil = this.options.clock.now() + duration;
  }

  close(): void {
    this.#adjustments.close();
    this.watch.close();
  }

  /**
   * Asked for each end of a flow: nearly always there is no such time, and the clock is not looked
   * at.
   */
  isMassDelete(): boolean {
    if (this.#massDeleteUntil === 0) return false;
    if (this.options.clock.now() < this.#massDeleteUntil) return true;
    this.#massDeleteUntil = 0;
    return false;
  }

  /** A dump for the mirror. */
  protected startDump(handler: DumpHandler): RunningDump {
    return this.openDump(handler);
  }

  protected openDump(handler: DumpHandler): RunningDump {
    return new KernelDump({ kind: 'flows' }, this.options.names, {
      ...handler,
      malformed: (error) => this.watch.countMalformed(error),
    });
  }

  #compareExpectations(): void {
    this.expectations.compare(true).catch((error: unknown) => {
      this.options.logger.log('error', 'comparison with the expectations of the kernel failed', {
        reason: errorText(error),
      });
    });
  }
}

/**
 * `Filter From Kernelspace`: what the kernel can decide by protocol and state never wakes this
 * thread. Addresses are left to user space, where they mean the same for events as for dumps; in
 * conntrackd they do not.
 */
function kernelProgram({ filter }: SyncSettings): Uint8Array | undefined {
  if (filter.from !== 'kernelspace') return undefined;
  const { protocol, tcpState } = filter;
  return buildFilterProgram({
    ...(protocol === undefined ? {} : { protocol }),
    ...(tcpState === undefined ? {} : { tcpState }),
  });
}
