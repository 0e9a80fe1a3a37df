/**
 * The notify scripts of one instance or group: one at a time, in order, the last always run.
 * keepalived forks them all at once, and a slow one then finishes after its successor
 * (docs/differences.md).
 */
import type { Logger } from '../../base/logger.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import { runWithDeadline, type LimitedRun } from '../scripts/deadline.js';
import { describeEnd, type ProcessSpawner } from '../scripts/process.js';
import type { ScriptCommand } from '../settings.js';

/**
 * How long a running script may hold up those that wait behind it. Alone it may take as long as it
 * likes.
 */
export const timeoutWithOthersWaiting = seconds(60);
/** The same while the daemon stops: notify_stop is not to be lost behind an older script. */
export const timeoutAtStop = milliseconds(500);
/**
 * States beyond these are forgotten, oldest first: a flapping link must not queue up an hour of
 * scripts.
 */
export const longestQueue = 32;

/** `label`: what it is for, as in logs: `MASTER`. */
export interface NotifyJob {
  readonly command: ScriptCommand;
  readonly label: string;
}

export interface NotifyPorts {
  readonly spawner: ProcessSpawner;
  readonly timers: Timers;
  readonly logger: Logger;
}

export class SerialRunner {
  readonly #ports: NotifyPorts;
  readonly #owner: string;
  readonly #waiting: NotifyJob[] = [];
  #running: LimitedRun | undefined;
  /** What runs is for this state. */
  #runningLabel = '';
  #isStopping = false;
  #timeout: ArmedTimer | undefined;
  #idleListeners: (() => void)[] = [];

  constructor(ports: NotifyPorts, owner: string) {
    this.#ports = ports;
    this.#owner = owner;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  enqueue(job: NotifyJob): void {
    this.#waiting.push(job);
    if (this.#waiting.length > longestQueue) {
      const dropped = this.#waiting.shift();
      this.#ports.logger.log('warning', 'notify scripts fall behind, an old state is skipped', {
        owner: this.#owner,
        state: dropped?.label,
      });
    }
    if (this.#running === undefined) this.#next();
    else this.#startTimeout(this.#running);
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  /**
   * The daemon stops: of what waits only the last state counts, and what runs makes way for it
   * after `timeoutAtStop`. True where something waits.
   */
  hurry(): boolean {
    this.#isStopping = true;
    const last = this.#waiting.at(-1)?.label;
    while (this.#waiting[0] !== undefined && this.#waiting[0].label !== last) {
      this.#sayNotRun(this.#waiting.shift());
    }
    if (this.#running === undefined || last === undefined) return false;
    this.#timeout?.cancel();
    this.#timeout = undefined;
    this.#startTimeout(this.#running);
    return true;
  }

  /** Forgets what waits and ends what runs; both are said. */
  kill(): void {
    for (const job of this.#waiting.splice(0)) this.#sayNotRun(job);
    if (this.#running === undefined) return;
    this.#ports.logger.log('warning', 'notify script is ended: the daemon stops', {
      owner: this.#owner,
      state: this.#runningLabel,
    });
    this.#running.terminate();
  }

  #sayNotRun(job: NotifyJob | undefined): void {
    this.#ports.logger.log('warning', 'notify script is not run: the daemon stops', {
      owner: this.#owner,
      state: job?.label,
    });
  }

  #next(): void {
    this.#timeout?.cancel();
    this.#timeout = undefined;
    const job = this.#waiting.shift();
    if (job === undefined) {
      const listeners = this.#idleListeners;
      this.#idleListeners = [];
      for (const listener of listeners) listener();
      return;
    }
    const run = runWithDeadline(this.#ports, job.command, undefined, ({ end }) => {
      this.#running = undefined;
      const failed = end.kind !== 'exited' || end.status !== 0;
      this.#ports.logger.log(failed ? 'warning' : 'debug', 'notify script ended', {
        owner: this.#owner,
        state: job.label,
        script: job.command.words[0],
        reason: describeEnd(end),
      });
      this.#next();
    });
    this.#running = run;
    this.#runningLabel = job.label;
    if (this.#waiting.length > 0) this.#startTimeout(run);
  }

  #startTimeout(run: LimitedRun): void {
    const timeout = this.#isStopping ? timeoutAtStop : timeoutWithOthersWaiting;
    this.#timeout ??= this.#ports.timers.after(timeout, () => {
      this.#ports.logger.log('warning', 'notify script holds up later states and is ended', {
        owner: this.#owner,
        state: this.#runningLabel,
      });
      run.terminate();
    });
  }
}
