/**
 * The feed of an internal cache: a first comparison fills it, and further ones keep it equal to the
 * kernel's table.
 */
import { seconds } from '../../base/time.js';
import { FlowMirror, type ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import type { BulkSink, Walk } from '../tables/changeListener.js';
import type { ExpectationRules } from './expectationFeed.js';
import type { InternalCache } from './internalCache.js';
import { KernelFeed, type KernelFeedOptions } from './kernelFeed.js';
import { TableWalk } from './tableWalk.js';

/**
 * Without PollSecs the table is compared with the kernel's this often. Flows that are older than
 * the first listener on the machine have no events under nf_conntrack_events 2, the default: their
 * end is seen only here.
 */
const quietComparisonSeconds = 300;

export class CachedFeed extends KernelFeed {
  #hasMissed = false;
  #isQuiet = false;

  /** Joins the event groups. Throws KernelError. */
  constructor(options: KernelFeedOptions) {
    super(options, {
      newMirror: (mirror) => new FlowMirror(mirror),
      expectationRules: cachedExpectations(options.cache),
      pollInterval: seconds(options.settings.pollSeconds ?? quietComparisonSeconds),
    });
  }

  async start(): Promise<ResyncResult> {
    this.watch.follow();
    const result = await this.#quietPass();
    await this.expectations.compare(false);
    return result;
  }

  async resync(): Promise<ResyncResult> {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    try {
      // A comparison that runs already has perhaps passed by the place of a flow that had no event.
      if (hasMissed && this.mirror.isResyncing) await this.watch.resync();
      const result = await this.#quietPass();
      await this.expectations.compare(false);
      return result;
    } catch (error) {
      this.#hasMissed ||= hasMissed;
      throw error;
    }
  }

  newWalk(sink: BulkSink): Walk {
    return new TableWalk(this.options.cache, sink);
  }

  subscribeNew(on: boolean): void {
    if (!on) this.#hasMissed = true;
    this.watch.events.subscribeNew(on);
  }

  get hasMissed(): boolean {
    return this.#hasMissed;
  }

  replicatesDumps(): boolean {
    return !this.#isQuiet;
  }

  /**
   * A comparison of which the peer hears nothing. One that it shall hear of, and that runs, is left
   * to end first.
   */
  async #quietPass(): Promise<ResyncResult> {
    while (this.mirror.isResyncing && !this.#isQuiet) await this.watch.resync();
    this.#isQuiet = true;
    try {
      return await this.watch.resync();
    } finally {
      this.#isQuiet = false;
    }
  }
}

/** The cache says which masters are replicated. */
export function cachedExpectations({ table, expectations }: InternalCache): ExpectationRules {
  return {
    replicatesMaster: (master, isAlive) => {
      // The end of an expectation may come after that of its master.
      if (!isAlive) return true;
      const slot = table.find(master);
      return slot !== 0 && table.lifecycle(slot) !== lifecycle.dead;
    },
    awaitsMaster: true,
    isKnown: (expectation) => {
      const known = expectations.find(expectation);
      return known !== undefined && known.lifecycle !== lifecycle.dead;
    },
  };
}
