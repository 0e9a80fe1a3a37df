/**
 * The purge: after this node stopped being MASTER, its kernel's leftovers are removed. It is
 * scheduled, waits until another MASTER was heard, after a split also until that one has merged
 * what only this kernel has, and is forgotten when this node becomes MASTER again. It removes what
 * the MASTER's kernel holds and what the MASTER has ended (comparedPurge.ts); the rest stays, is
 * counted, and is compared again. A MASTER that cannot list its flows (a conntrackd, a keepstate
 * 0.1.0, DisableInternalCache) is believed when its whole table was received. conntrackd purges
 * after PurgeTimeout whatever happened.
 */
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { addTime, seconds, type Clock, type Microseconds } from '../../base/time.js';
import type { PurgeOutcome } from '../comparison/comparedPurge.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';
import type { FlowFilter } from '../../conntrack/flowFilter.js';
import { FailureLog } from '../failureLog.js';
import type { KernelFeed } from '../local/kernelFeed.js';

export interface PurgeWorkOptions {
  readonly names: NameTable;
  readonly feed: () => KernelFeed;
  readonly filter: FlowFilter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A flow that stands in the kernel because the peer told it (DisableExternalCache): it stays. */
  readonly isInjected?: (flow: FlowCursor) => boolean;
  /** A scheduled purge has ended. */
  readonly purged: () => void;
  /** Flows were removed, and others stay: the peer is to know which. */
  readonly changed?: () => void;
}

/** The peer, where it may be one that can list its flows. */
export interface ComparingPeer {
  /** `unknown`: it is silent, or was not greeted yet. */
  ability(): 'compares' | 'cannot' | 'unknown';
  /** Rejects with KernelError. */
  purge(isOver: () => boolean): Promise<PurgeOutcome>;
}

/** What is known of the last purge, or of the one that goes on. */
export interface PurgeView {
  /** `content`: flow by flow. `completion`: the MASTER cannot list what it holds. */
  readonly by: 'content' | 'completion';
  readonly removed: number;
  /** Flows that stay because the MASTER neither holds nor ended them. */
  readonly kept: number;
  /** Why nothing was decided the last time. */
  readonly because?: string;
}

/**
 * What nobody else has is compared again, with growing pauses: it may end, or come to the MASTER.
 */
const firstPause = seconds(10);
const longestPause = seconds(300);
const undecidedPause = seconds(2);

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
  #pause = firstPause;
  #view: PurgeView | undefined;
  /** The peer said that it cannot list its flows. */
  #isBlind = false;
  /** Absent: without a peer channel. */
  peer: ComparingPeer | undefined;

  constructor(options: PurgeWorkOptions) {
    this.#options = options;
  }

  get due(): Microseconds | undefined {
    return this.#due;
  }

  get view(): PurgeView | undefined {
    return this.#view;
  }

  /** Leftovers of a role are to be removed still. */
  get isPending(): boolean {
    return this.#due !== undefined && this.#waitsForMaster;
  }

  /** Since the role left. */
  get hasHeardMaster(): boolean {
    return this.#otherMasterHeard;
  }

  /** `-t` while one is scheduled changes nothing, as in conntrackd. */
  schedule(delay: Microseconds, waitsForMaster: boolean): void {
    if (this.#due !== undefined && !waitsForMaster) return;
    this.#due = addTime(this.#options.clock.now(), delay);
    this.#waitsForMaster = waitsForMaster;
    this.#pause = firstPause;
    this.#view = undefined;
    this.#isBlind = false;
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
    this.#view = undefined;
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
    if (!this.#waitsForMaster) {
      this.#removeAll();
      return;
    }
    const isHeld = this.#heldUntil !== undefined && now < this.#heldUntil;
    if (!this.#otherMasterHeard || isHeld) return;
    const ability = this.#isBlind ? 'cannot' : (this.peer?.ability() ?? 'cannot');
    if (ability === 'compares') void this.#removeCompared(this.peer);
    else if (ability === 'cannot' && isCaughtUp) this.#removeAll();
  }

  #removeAll(): void {
    const due = this.#due;
    const isOver = this.#over();
    void this.run('purge of the kernel table', isOver, this.#options.isInjected).then((removed) => {
      if (isOver()) return;
      if (this.#due === due) this.#due = undefined;
      this.#view = { by: 'completion', removed, kept: 0 };
      this.#options.purged();
    });
  }

  async #removeCompared(peer: ComparingPeer | undefined): Promise<void> {
    if (peer === undefined) return;
    const isOver = this.#over();
    this.#isRunning = true;
    let outcome: PurgeOutcome;
    try {
      outcome = await peer.purge(isOver);
    } catch (error) {
      outcome = { kind: 'undecided', because: errorText(error) };
    } finally {
      this.#isRunning = false;
    }
    if (!isOver()) this.#compared(outcome);
  }

  #compared(outcome: PurgeOutcome): void {
    const { clock, logger, purged, changed } = this.#options;
    const before = this.#view ?? { removed: 0, kept: 0 };
    if (outcome.kind === 'cannot') {
      this.#isBlind = true;
      return;
    }
    if (outcome.kind === 'undecided') {
      const { because } = outcome;
      if (this.#view?.because !== because) {
        logger.log('notice', 'the leftovers could not be compared yet', { because });
      }
      const { removed, kept } = before;
      this.#view = { by: 'content', removed, kept, because };
      this.#due = addTime(clock.now(), undecidedPause);
      return;
    }
    const { removed, neither: kept } = outcome;
    if (removed > 0 || kept !== before.kept || this.#view === undefined) {
      logger.log('notice', 'purge of the kernel table', { removed, kept });
    }
    this.#view = { by: 'content', removed: before.removed + removed, kept };
    if (removed > 0) changed?.();
    if (kept === 0) {
      this.#due = undefined;
      purged();
      return;
    }
    this.#due = addTime(clock.now(), this.#pause);
    this.#pause = Math.min(longestPause, this.#pause * 2) as Microseconds;
  }

  #over(): () => boolean {
    const generation = this.#generation;
    return () => generation !== this.#generation;
  }

  /**
   * Removes what passes the filter and does not stay, until `isOver`; number of flows. Failures are
   * logged.
   */
  async run(
    what: string,
    isOver = (): boolean => false,
    stays: (flow: FlowCursor) => boolean = () => false,
  ): Promise<number> {
    if (this.#isRunning) return 0;
    this.#isRunning = true;
    try {
      const removed = await this.#remove(isOver, stays);
      this.#options.logger.log('notice', what, { removed });
      return removed;
    } catch (error) {
      this.#options.logger.log('error', `${what} failed`, {
        because: errorText(error),
      });
      return 0;
    } finally {
      this.#isRunning = false;
    }
  }

  async #remove(isOver: () => boolean, stays: (flow: FlowCursor) => boolean): Promise<number> {
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
