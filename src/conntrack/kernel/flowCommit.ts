/**
 * Writes a whole table into the kernel, in slices that leave the thread to others every 2 ms.
 * Order: flows that carry established traffic first, then the rest, then the flows that have a
 * master (RELATED), whose masters must be there (ENOENT). conntrackd 1.4.7 commits in hash order,
 * masters first.
 */
import { KernelError } from '../../base/errors.js';
import {
  milliseconds,
  subtractSeconds,
  subtractTime,
  wholeSeconds,
  type Clock,
  type Microseconds,
  type Turns,
} from '../../base/time.js';
import { protocol, statusBit, tcpState } from '../constants.js';
import { FlowInjector, type InjectionCounts, type InjectionOptions } from './flowInjector.js';
import type { InjectionSocket } from './injectionSocket.js';
import { presenceBit, lifecycle, recordWord, type FlowCursor } from '../record/flowRecord.js';
import type { FlowTable } from '../record/flowTable.js';

/**
 * What conntrackd gives entries whose own time is over or unknown; here the least that those get.
 */
const leastTimeoutSeconds = 60;
const slice: Microseconds = milliseconds(2);
/** Flows between two looks at the clock: a look costs as much as encoding one flow. */
const flowsPerLook = 64;
/** Empty or passed-over slots between two looks. */
const slotsPerLook = 4096;

export interface CommitOptions extends InjectionOptions {
  /** The same for all flows (conntrackd's CommitTimeout). */
  readonly fixedTimeoutSeconds?: number;
  /** Only makes the windows of TCP flows liberal that the kernel has. */
  readonly windowsOnly?: boolean;
  /** Flows whose own time is over: see `timeoutFor`, or left out. */
  readonly overdue: 'keep' | 'skip';
  /** Leaves a slot out, for flows that the caller knows to be gone. */
  readonly skip?: (slot: number) => boolean;
  /** Called about once per slice with the flows done so far. */
  readonly onProgress?: (committed: number) => void;
  /** `nowhere` rehearses: all but the kernel's part. The default is the kernel. */
  readonly socket?: InjectionSocket;
  /** Final refusals, for the log. */
  readonly onFailure?: (slot: number, errno: number) => void;
}

export interface CommitResult extends InjectionCounts {
  readonly committed: number;
  /** Left out: overdue or skipped by the caller. */
  readonly skipped: number;
  readonly cancelled: boolean;
  /** The kernel's table was full: the rest was not tried. */
  readonly tableFull: boolean;
  /** How many that are; not part of `failed`. The table changes meanwhile, so it is an estimate. */
  readonly untried: number;
  readonly duration: Microseconds;
}

type Phase = 'established' | 'other' | 'related';
const phases: readonly Phase[] = ['established', 'other', 'related'];

/**
 * Seconds that a flow gets: the fixed ones, or what was left at the last update less the time
 * since, `nowSeconds` being the moment of writing. A flow whose time is over and whose end was
 * not received lives by packets that make no event, so it gets anew the time that was sent, and at
 * least 60; one whose time was never sent gets 60.
 */
export function timeoutFor(flow: FlowCursor, nowSeconds: number, fixedSeconds?: number): number {
  if (fixedSeconds !== undefined) return fixedSeconds;
  const left = remainingSeconds(flow, nowSeconds);
  if (left > 0) return left;
  return flow.knows(presenceBit.timeout)
    ? Math.max(leastTimeoutSeconds, flow.get(recordWord.timeout))
    : leastTimeoutSeconds;
}

/** 0 or less: over, or unknown. */
function remainingSeconds(flow: FlowCursor, nowSeconds: number): number {
  if (!flow.knows(presenceBit.timeout)) return 0;
  return flow.get(recordWord.timeout) - subtractSeconds(nowSeconds, flow.get(recordWord.updated));
}

/**
 * A commit in progress. The table may change meanwhile: slots that come and go are met or missed.
 */
export class FlowCommit {
  /** Rejects with BugError only: what the kernel does not take has failed. */
  readonly done: Promise<CommitResult>;
  /** Events with this port id are effects of this commit. */
  readonly portId: number;
  readonly #table: FlowTable;
  readonly #options: CommitOptions;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #injector: FlowInjector;
  readonly #flow: FlowCursor;
  readonly #startedAt: Microseconds;
  #phase = 0;
  #slot = 0;
  #skipped = 0;
  #cancelled = false;
  #resolve: (result: CommitResult) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  /** Starts with the next turn. Throws KernelError where no socket can be had. */
  constructor(table: FlowTable, options: CommitOptions, clock: Clock, turns: Turns) {
    this.#table = table;
    this.#options = options;
    this.#clock = clock;
    this.#turns = turns;
    this.#flow = table.newCursor();
    this.#startedAt = clock.now();
    const source = { table, cursor: table.newCursor() };
    this.#injector = new FlowInjector(options, source, options.onFailure, options.socket);
    this.portId = this.#injector.portId;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    turns.next(() => this.#turn());
  }

  /** What was injected stays; the rest is not tried. */
  cancel(): void {
    this.#cancelled = true;
  }

  #turn(): void {
    try {
      const isDone = this.#cancelled || this.#slice();
      if (isDone) this.#finish();
      else {
        const { requested, failed } = this.#injector.counts;
        this.#options.onProgress?.(requested - failed);
        this.#turns.next(() => this.#turn());
      }
    } catch (error) {
      this.#injector.close();
      this.#reject(error instanceof Error ? error : new KernelError('commit', 0, String(error)));
    }
  }

  /** True when there is nothing left to do. */
  #slice(): boolean {
    const end = this.#clock.now() + slice;
    for (;;) {
      const more = this.#some();
      if (this.#injector.isFull) {
        // What is gathered gets its answers too, and what was cleared to be replaced is made again.
        this.#injector.flush();
        return true;
      }
      if (!more) {
        // A phase must be in the kernel, retries included, before the next one refers to it.
        this.#injector.flush();
        this.#slot = 0;
        if (++this.#phase === phases.length) return true;
      }
      if (this.#clock.now() >= end) break;
    }
    this.#injector.flush();
    return this.#injector.isFull;
  }

  /** A few flows of the current phase, written at one moment; false at its end. */
  #some(): boolean {
    const phase = phases[this.#phase]!;
    const nowSeconds = wholeSeconds(this.#clock.now());
    let flows = 0;
    for (let slots = 0; slots < slotsPerLook && flows < flowsPerLook; slots++) {
      this.#slot = this.#table.next(this.#slot);
      if (this.#slot === 0) return false;
      const flow = this.#table.seek(this.#slot, this.#flow);
      if (this.#table.lifecycle(this.#slot) === lifecycle.dead || phaseOf(flow) !== phase) continue;
      this.#one(flow, nowSeconds);
      flows++;
    }
    return true;
  }

  #one(flow: FlowCursor, nowSeconds: number): void {
    const { fixedTimeoutSeconds, overdue, skip, windowsOnly } = this.#options;
    if (windowsOnly === true) {
      if (flow.protocol === protocol.tcp) this.#injector.openWindows(flow, this.#slot);
      return;
    }
    const isOver =
      overdue === 'skip' &&
      flow.knows(presenceBit.timeout) &&
      remainingSeconds(flow, nowSeconds) <= 0;
    if (isOver || skip?.(this.#slot) === true) {
      this.#skipped++;
      return;
    }
    this.#injector.create(flow, this.#slot, timeoutFor(flow, nowSeconds, fixedTimeoutSeconds));
  }

  #finish(): void {
    const { counts, isFull } = this.#injector;
    this.#injector.close();
    // The last batch may be what filled the table.
    const left = this.#table.alive - counts.requested - this.#skipped;
    this.#resolve({
      ...counts,
      committed: counts.requested - counts.failed,
      skipped: this.#skipped,
      cancelled: this.#cancelled,
      tableFull: isFull,
      untried: isFull && !this.#cancelled ? Math.max(0, left) : 0,
      duration: subtractTime(this.#clock.now(), this.#startedAt),
    });
  }
}

function phaseOf(flow: FlowCursor): Phase {
  if (flow.knows(presenceBit.master)) return 'related';
  const isAssured = (flow.get(recordWord.status) & statusBit.assured) !== 0;
  const isEstablished =
    flow.protocol === protocol.tcp &&
    flow.knows(presenceBit.state) &&
    flow.state === tcpState.established;
  return isAssured || isEstablished ? 'established' : 'other';
}
