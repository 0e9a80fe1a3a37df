/**
 * The feed of a node without an internal cache (DisableInternalCache): events pass through, and the
 * kernel's table is read when the peer is to be sent everything.
 */
import { seconds, type Microseconds } from '../../base/time.js';
import { BypassMirror } from '../../conntrack/kernel/bypassMirror.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { DumpHandler, RunningDump } from '../../conntrack/kernel/kernelDump.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import type { BulkSink, Walk } from '../tables/changeListener.js';
import { BypassReading } from './bypassReading.js';
import { BypassWalk } from './bypassWalk.js';
import type { ExpectationRules } from './expectationFeed.js';
import { KernelFeed, type KernelFeedOptions } from './kernelFeed.js';

const nothingRead: ResyncResult = {
  entries: 0,
  ignored: 0,
  created: 0,
  updated: 0,
  removed: 0,
  duration: 0 as Microseconds,
};

export class BypassedFeed extends KernelFeed {
  readonly hasMissed = false;
  readonly #reading: BypassReading;

  /** Joins the event groups. Throws KernelError. */
  constructor(options: KernelFeedOptions) {
    const { pollSeconds } = options.settings;
    super(options, {
      newMirror: (mirror) => new BypassMirror(mirror),
      expectationRules: bypassedExpectations(options.filter),
      // A comparison sends the peer everything: only where PollSecs asks for that.
      ...(pollSeconds === undefined ? {} : { pollInterval: seconds(pollSeconds) }),
      compareByItself: (because) => {
        options.startBulk(`compared with the kernel: ${because}`);
      },
    });
    this.#reading = new BypassReading({
      cache: options.cache,
      openDump: (handler) => this.openDump(handler),
      isResyncing: () => this.mirror.isResyncing,
      resync: () => this.watch.resync(),
      compareExpectations: () => this.expectations.compare(true),
    });
  }

  /** There is nothing to fill. */
  start(): Promise<ResyncResult> {
    this.watch.follow();
    return Promise.resolve(nothingRead);
  }

  /** There is nothing to compare. */
  resync(): Promise<ResyncResult> {
    return Promise.resolve(nothingRead);
  }

  newWalk(_sink: BulkSink, wake: () => void): Walk {
    const { timers, logger } = this.options;
    return new BypassWalk({ reader: this.#reading, timers, logger, wake });
  }

  subscribeNew(): void {
    // Only by an event the peer hears of a flow: the subscription stays.
  }

  replicatesDumps(): boolean {
    return true;
  }

  protected override startDump(handler: DumpHandler): RunningDump {
    return this.#reading.start(handler);
  }
}

/**
 * Nothing is kept: the filter alone judges the master, by its original tuple, and all that a dump
 * finds is sent.
 */
function bypassedExpectations(filter: FlowFilter): ExpectationRules {
  return {
    replicatesMaster: (master) => filter.acceptsTuple(master),
    // The filter's answer stays.
    awaitsMaster: false,
    isKnown: () => false,
  };
}
