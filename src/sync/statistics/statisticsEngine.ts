/**
 * What a node does that has `Stats` and no `Sync`: it hears the kernel's events, knows the flows of
 * the table, and logs those that end. Everything real comes in through the ports.
 */
import {
  seconds,
  type Clock,
  type RandomSource,
  type Timers,
  type Turns,
} from '../../base/time.js';
import type { Logger } from '../../base/logger.js';
import { FlowFilter } from '../../conntrack/flowFilter.js';
import { FlowMirror, type ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import { KernelWatch } from '../../conntrack/kernel/kernelWatch.js';
import { FlowTable } from '../../conntrack/record/flowTable.js';
import { NameTable } from '../../conntrack/record/nameTable.js';
import type { EndedFlows } from '../local/endedFlows.js';
import type { StatisticsCapture } from '../messages.js';
import { PurgeWork } from '../role/purgeWork.js';
import type { KernelSettings } from '../settings.js';
import { StatisticsCache } from './statisticsCache.js';

export interface StatisticsEnginePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly random: RandomSource;
  readonly logger: Logger;
}

/**
 * Without PollSecs the table is compared with the kernel's this often, as beside replication
 * (cachedFeed.ts): some flows have no events.
 */
const quietComparisonSeconds = 300;

export class StatisticsEngine {
  readonly settings: KernelSettings;
  readonly ports: StatisticsEnginePorts;
  readonly cache: StatisticsCache;
  readonly #mirror: FlowMirror;
  readonly #watch: KernelWatch;
  readonly #purge: PurgeWork;

  /** Joins the event groups. Throws KernelError. */
  constructor(settings: KernelSettings, ports: StatisticsEnginePorts, log: EndedFlows) {
    this.settings = settings;
    this.ports = ports;
    const names = new NameTable();
    const hashSeed = ports.random.below(0x1_0000_0000);
    const table = new FlowTable({ limit: settings.hashLimit, names, hashSeed });
    // conntrackd logs the connections of the node itself too.
    const filter = new FlowFilter(settings.filter, [], false);
    this.cache = new StatisticsCache(table, log, () => this.#watch.events.message);
    this.#mirror = new FlowMirror({
      ...{ table, filter, listener: this.cache, kernelFilters: false, ...ports },
      // What the client's `-F` ends has ended, as for conntrackd.
      isOwnPort: () => false,
    });
    this.#watch = new KernelWatch(
      {
        names,
        ...(settings.netlinkBufferBytes === undefined
          ? {}
          : { bufferBytes: settings.netlinkBufferBytes }),
        maxBufferBytes: settings.netlinkBufferMaxGrowthBytes,
        reliable: settings.netlinkEventsReliable,
        expectations: false,
        pollInterval: seconds(settings.pollSeconds ?? quietComparisonSeconds),
      },
      { mirror: this.#mirror, onExpectation: () => undefined, ...ports },
    );
    this.#purge = new PurgeWork({
      ...{ names, filter, ...ports },
      feed: () => ({ addOwn: () => () => undefined }),
      isInjected: () => false,
    });
  }

  /** Fills the table; number of flows. Rejects with KernelError. */
  async start(): Promise<number> {
    return (await this.#watch.start()).entries;
  }

  /** `-R`. Rejects with KernelError. */
  resync(): Promise<ResyncResult> {
    return this.#watch.resync();
  }

  /** `-F`: the flows of the kernel that pass the filter; their number. Failures are logged. */
  flushKernel(): Promise<number> {
    return this.#purge.flush('flushed the kernel table');
  }

  /** About once a second. */
  tick(): void {
    this.#watch.tick();
  }

  get capture(): StatisticsCapture {
    const { counters } = this.#mirror;
    const { overruns, bufferBytes } = this.#watch.events;
    return {
      entries: this.cache.table.alive,
      limit: this.settings.hashLimit,
      events: { received: counters.events, filtered: counters.filtered },
      overruns,
      resyncs: counters.passes,
      netlinkBufferBytes: bufferBytes,
    };
  }

  close(): void {
    this.#watch.close();
  }
}
