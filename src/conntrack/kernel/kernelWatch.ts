/**
 * The event stream and the mirror joined: reads events into the table, and after an overrun
 * compares with the kernel at once, beside the running events (conntrackd 1.4.7 waits 30 s). Also
 * PollSecs: compares every so often, with events still on, so that only differences are news.
 */
import { errorText } from '../../base/errors.js';
import type { DecodeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import {
  seconds,
  type ArmedTimer,
  type Microseconds,
  type Timers,
  type Turns,
} from '../../base/time.js';
import type { Expectation } from '../codec/expectation.js';
import type { FlowMirror, ResyncResult } from './flowMirror.js';
import { KernelEvents, type KernelEventOptions } from './kernelEvents.js';

/** Events read per look whether the queue is empty, when nothing else woke the reader. */
const eventsPerLook = 256;

export interface KernelWatchOptions extends KernelEventOptions {
  readonly pollInterval?: Microseconds;
}

export interface KernelWatchParts {
  readonly mirror: FlowMirror;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly logger: Logger;
  readonly onExpectation: (
    kind: 'new' | 'destroy',
    expectation: Expectation,
    portId: number,
  ) => void;
  /** Of whose changes to living flows nothing is to be heard. */
  readonly isIgnoredPort?: (portId: number) => boolean;
  /** The kernel holds what is not to be found: whoever ends that compares (`resync`). */
  readonly isHeld?: () => boolean;
  /** After each comparison that was not asked for: overrun or poll. */
  readonly onResync?: (because: 'overrun' | 'poll', result: ResyncResult) => void;
  /** What is done in place of a comparison by itself, for an owner that makes more of it. */
  readonly compare?: (because: 'overrun' | 'poll') => void;
}

export class KernelWatch {
  readonly events: KernelEvents;
  readonly #parts: KernelWatchParts;
  readonly #pollInterval: Microseconds | undefined;
  #nowSeconds = 0;
  #malformed = 0;
  #resyncWanted = false;
  /** Overruns that were noticed, and those of them that a comparison has made up for. */
  #losses = 0;
  #repaired = 0;
  #overrunLogged = false;
  #poll: ArmedTimer | undefined;
  #closed = false;

  /** Subscribes. Throws KernelError. */
  constructor(options: KernelWatchOptions, parts: KernelWatchParts) {
    this.#parts = parts;
    this.#pollInterval = options.pollInterval;
    this.events = new KernelEvents(options, {
      batchBegin: () => (this.#nowSeconds = parts.mirror.nowSeconds()),
      flow: (kind, flow, portId) => parts.mirror.event(kind, flow, portId, this.#nowSeconds),
      ignores: (portId) => parts.isIgnoredPort?.(portId) === true,
      expectation: parts.onExpectation,
      overrun: (bufferBytes) => this.#overrun(bufferBytes),
      malformed: (error) => this.countMalformed(error),
      failed: (errno) => parts.logger.log('error', 'conntrack events cannot be read', { errno }),
      batchEnd: (isDrained) => {
        if (isDrained && this.#resyncWanted) this.#recover();
      },
    });
  }

  /** Messages of the kernel that were not understood. */
  get malformed(): number {
    return this.#malformed;
  }

  /** Events were lost, and no comparison that began behind the loss has ended yet. */
  get hasLost(): boolean {
    return this.#losses !== this.#repaired;
  }

  /** About once a second: a loss behind which no batch is read is noticed too. */
  tick(): void {
    this.events.noticeLoss();
  }

  /** Reads events and fills the table from a dump; resolves when it equals the kernel's. */
  start(): Promise<ResyncResult> {
    this.follow();
    return this.resync();
  }

  /** Reads events, from now on and nothing of before. */
  follow(): void {
    this.events.start();
    this.#armPoll();
  }

  /**
   * Compares with the kernel now; during a comparison that one is the answer. Rejects with
   * KernelError.
   */
  async resync(): Promise<ResyncResult> {
    try {
      return await this.#parts.mirror.resync();
    } finally {
      // Events that were lost meanwhile wait for their own comparison.
      this.#lookSoon();
    }
  }

  /** A message of the kernel; also for the dumps of whoever compares. */
  countMalformed({ code, message }: DecodeError): void {
    this.#malformed++;
    if (this.#malformed > 1) return;
    const fields = { reason: code, detail: message };
    this.#parts.logger.log('warning', 'a conntrack message was not understood', fields);
  }

  close(): void {
    this.#closed = true;
    this.#poll?.cancel();
    this.events.close();
    this.#parts.mirror.close();
  }

  #overrun(bufferBytes: number): void {
    const { logger } = this.#parts;
    this.#losses++;
    const level = this.#overrunLogged ? 'debug' : 'warning';
    logger.log(level, 'conntrack events were lost, comparing with the kernel', {
      bufferBytes,
      overruns: this.events.overruns,
    });
    this.#overrunLogged = true;
    if (this.#resyncWanted) return;
    this.#resyncWanted = true;
    // The queue is full, so a batch follows and says when it is empty; this is for the case that it
    // does not.
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (!this.#resyncWanted) return;
    this.#parts.turns.next(() => {
      if (this.#resyncWanted && !this.#closed) this.events.drain(eventsPerLook);
    });
  }

  /**
   * The queue was read empty: what the dump shows from now on is not older than any event to come.
   */
  #recover(): void {
    const { mirror, isHeld } = this.#parts;
    // A pass that began before the loss may have missed changes: another one follows it.
    if (mirror.isResyncing || isHeld?.() === true) return;
    this.#resyncWanted = false;
    this.#compare('overrun');
  }

  #compare(because: 'overrun' | 'poll'): void {
    const { logger, onResync, timers, compare, isHeld } = this.#parts;
    if (isHeld?.() === true) return;
    const losses = because === 'overrun' ? this.#losses : this.#repaired;
    if (compare !== undefined) {
      compare(because);
      this.#repaired = losses;
      return;
    }
    this.resync()
      .then((result) => {
        this.#repaired = losses;
        if (because === 'overrun') this.#logRecovery(result);
        onResync?.(because, result);
      })
      .catch((error: unknown) => {
        const reason = errorText(error);
        logger.log('error', 'comparison with the kernel failed', { reason });
        timers.after(seconds(1), () => {
          this.#resyncWanted = true;
          this.#lookSoon();
        });
      });
  }

  #logRecovery({ entries, created, updated, removed, duration }: ResyncResult): void {
    const milliseconds = Math.round(duration / 1_000);
    const fields = { entries, created, updated, removed, milliseconds };
    this.#parts.logger.log('notice', 'table equals the kernel again after lost events', fields);
    this.#overrunLogged = this.#resyncWanted;
  }

  #armPoll(): void {
    if (this.#pollInterval === undefined) return;
    this.#poll = this.#parts.timers.after(this.#pollInterval, () => {
      if (this.#closed) return;
      if (!this.#parts.mirror.isResyncing) this.#compare('poll');
      this.#armPoll();
    });
  }
}
