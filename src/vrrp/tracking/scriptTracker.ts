/**
 * Runs one `vrrp_script` again and again. A run that is still going when the next is due is not
 * doubled: that round is skipped (keepalived 2.2.7 starts another one beside it;
 * docs/differences.md).
 */
import type { Logger } from '../../base/logger.js';
import type { ArmedTimer, Timers } from '../../base/time.js';
import { runWithDeadline, type LimitedEnd, type LimitedRun } from '../scripts/deadline.js';
import { describeEnd, type ProcessSpawner } from '../scripts/process.js';
import type { TrackScriptSettings } from '../settings.js';
import type { TrackVerdict } from './observations.js';
import { afterResult, initialRiseFall, type RiseFall } from './riseFall.js';

export interface ScriptTrackerPorts {
  readonly spawner: ProcessSpawner;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** `lastEnd`: how the last finished run ended, for status. */
export class ScriptTracker {
  readonly #ports: ScriptTrackerPorts;
  readonly #onVerdict: (verdict: TrackVerdict) => void;
  #settings: TrackScriptSettings;
  #state: RiseFall;
  #lastEnd = 'has not run yet';
  #run: LimitedRun | undefined;
  #timer: ArmedTimer | undefined;
  #isClosed = false;
  #hasRun = false;

  constructor(
    ports: ScriptTrackerPorts,
    settings: TrackScriptSettings,
    onVerdict: (verdict: TrackVerdict) => void,
    /** A reload keeps what the script said before. */
    earlier?: TrackVerdict,
  ) {
    this.#ports = ports;
    this.#settings = settings;
    this.#onVerdict = onVerdict;
    this.#state = initialRiseFall(settings.initFail);
    if (earlier === 'good' || earlier === 'bad') {
      const base: RiseFall = { verdict: 'unknown', counter: 0 };
      this.#state = afterResult(base, earlier === 'good', settings);
      this.#hasRun = true;
    }
  }

  get verdict(): TrackVerdict {
    return this.#state.verdict;
  }

  get lastEnd(): string {
    return this.#lastEnd;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Reports the verdict known so far, and runs the script at once, then each interval. */
  start(): void {
    if (this.#state.verdict !== 'unknown') this.#onVerdict(this.#state.verdict);
    this.#round();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#run?.terminate();
  }

  #round(): void {
    const { settings, ports } = { settings: this.#settings, ports: this.#ports };
    this.#timer = ports.timers.after(settings.interval, () => this.#round());
    if (this.#run !== undefined) {
      ports.logger.log('info', 'track script still runs, skipping a round', {
        script: settings.name,
      });
      return;
    }
    this.#run = runWithDeadline(ports, settings.command, settings.timeout, (result) => {
      this.#run = undefined;
      if (!this.#isClosed) this.#finished(result);
    });
  }

  #finished({ end, timedOut }: LimitedEnd): void {
    if (end.kind === 'notStarted' && !this.#hasRun) {
      this.#disable(describeEnd(end));
      return;
    }
    if (this.#state.verdict === 'disabled') this.#state = initialRiseFall(this.#settings.initFail);
    this.#hasRun = true;
    const succeeded = end.kind === 'exited' && end.status === 0;
    this.#lastEnd = timedOut ? `timed out, ${describeEnd(end)}` : describeEnd(end);
    const before = this.#state.verdict;
    this.#state = afterResult(this.#state, succeeded, this.#settings);
    if (this.#state.verdict === before) return;
    const level = succeeded ? 'info' : 'warning';
    this.#ports.logger.log(level, succeeded ? 'track script succeeds' : 'track script fails', {
      script: this.#settings.name,
      reason: this.#lastEnd,
    });
    this.#onVerdict(this.#state.verdict);
  }

  /**
   * A script that is missing, or may not run, takes no router down (keepalived 2.2.7); each round
   * tries again.
   */
  #disable(reason: string): void {
    this.#lastEnd = reason;
    if (this.#state.verdict === 'disabled') return;
    this.#state = { verdict: 'disabled', counter: 0 };
    this.#ports.logger.log('error', 'track script cannot run and does not count', {
      script: this.#settings.name,
      reason,
    });
    this.#onVerdict('disabled');
  }
}
