/**
 * The purge: after this node stopped being MASTER, its kernel's leftovers are removed. It is scheduled, waits
 * until another MASTER was heard and that one's flows are here, after a split also until that one has merged what
 * only this kernel has, and is forgotten when this node becomes MASTER again. conntrackd purges after PurgeTimeout whatever happened.
 */
import type { Logger } from '../base/logger.js';
import { addTime, type Clock, type Microseconds } from '../base/time.js';
import { FlowInjector } from '../conntrack/flowInjector.js';
import { KernelDump } from '../conntrack/kernelDump.js';
import type { NameTable } from '../conntrack/nameTable.js';
import type { FlowFilter } from '../conntrack/flowFilter.js';
import { FailureLog } from './failureLog.js';
import type { KernelFeed } from './kernelFeed.js';

export interface PurgeWorkOptions {
  readonly names: NameTable;
  readonly feed: () => KernelFeed;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A scheduled purge has ended. */
  readonly purged: () => void;
}

export class PurgeWork {
  readonly #options: PurgeWorkOptions;
  #due: Microseconds | undefined;
  /** False for the client's `-t`, which asks for the purge whatever the role. */
  #waitsForMaster = true;
  #otherMasterHeard = false;
  /** The other MASTER still has to merge this kernel's flows. */
  #heldUntil: Microseconds | undefined;
  #isRunning = false;
  #isSuspended = false;
  /** Grows with each cancel: what was scheduled before removes nothing more. */
  #generation = 0;

  constructor(options: PurgeWorkOptions) {
    this.#options = options;
  }

  get due(): Microseconds | undefined {
    return this.#due;
  }

  /** `-t` while one is scheduled changes nothing, as in conntrackd. */
  schedule(delay: Microseconds, waitsForMaster: boolean): void {
    if (this.#due !== undefined && !waitsForMaster) return;
    this.#due = addTime(this.#options.clock.now(), delay);
    this.#waitsForMaster = waitsForMaster;
    this.#options.logger.log('notice', 'purge of the kernel table scheduled', {
      inSeconds: Math.round(delay / 1_000_000),
    });
  }

  /** Also stops a scheduled purge that runs: what is committed after this call stays. */
  cancel(): void {
    this.#generation++;
    this.#due = undefined;
    this.#heldUntil = undefined;
    this.#otherMasterHeard = false;
    this.#isSuspended = false;
  }

  /** While flows are committed in advance, none is removed; a purge that runs is stopped, and runs again. */
  suspend(): void {
    this.#generation++;
    this.#isSuspended = true;
  }

  resume(): void {
    this.#isSuspended = false;
  }

  /** What is scheduled waits for `release`, but no longer than to `until`. `cancel` forgets it. */
  holdUntil(until: Microseconds): void {
    this.#heldUntil = until;
  }

  release(): void {
    this.#heldUntil = undefined;
  }

  otherMasterHeard(): void {
    this.#otherMasterHeard = true;
  }

  /** `isCaughtUp`: the peer's whole table was received since the role changed. */
  tick(now: Microseconds, isCaughtUp: boolean): void {
    if (this.#due === undefined || now < this.#due || this.#isRunning || this.#isSuspended) return;
    if (this.#waitsForMaster && !this.#mayGo(now, isCaughtUp)) return;
    const due = this.#due;
    const generation = this.#generation;
    const isOver = (): boolean => generation !== this.#generation;
    void this.run('purge of the kernel table', isOver).then(() => {
      if (isOver()) return;
      if (this.#due === due) this.#due = undefined;
      this.#options.purged();
    });
  }

  #mayGo(now: Microseconds, isCaughtUp: boolean): boolean {
    const isHeld = this.#heldUntil !== undefined && now < this.#heldUntil;
    return this.#otherMasterHeard && isCaughtUp && !isHeld;
  }

  /** Removes what passes the filter, until `isOver`; number of flows. Failures are logged. */
  async run(what: string, isOver = (): boolean => false): Promise<number> {
    if (this.#isRunning) return 0;
    this.#isRunning = true;
    try {
      const removed = await this.#remove(isOver);
      this.#options.logger.log('notice', what, { removed });
      return removed;
    } catch (error) {
      this.#options.logger.log('error', `${what} failed`, {
        because: error instanceof Error ? error.message : String(error),
      });
      return 0;
    } finally {
      this.#isRunning = false;
    }
  }

  async #remove(isOver: () => boolean): Promise<number> {
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
          if (isOver() || !filter.accepts(flow)) return;
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
