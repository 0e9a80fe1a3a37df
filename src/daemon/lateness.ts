/**
 * How late the event loop of this thread runs its timers: percentiles over windows of about a second.
 * Each look wakes the thread: at 10 ms this alone took 0.7 % of a core from an idle node.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { LatenessStatus } from '../control/status.js';

const resolutionMs = 100;

export class LatenessMonitor {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  #last: LatenessStatus = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

  start(): void {
    this.#histogram.enable();
  }

  /** Ends the present window. */
  sample(): LatenessStatus {
    const histogram = this.#histogram;
    if (histogram.count > 0) {
      this.#last = {
        p50Ms: lateness(histogram.percentile(50)),
        p99Ms: lateness(histogram.percentile(99)),
        maxMs: lateness(histogram.max),
      };
      histogram.reset();
    }
    return this.#last;
  }

  get last(): LatenessStatus {
    return this.#last;
  }

  close(): void {
    this.#histogram.disable();
  }
}

/** The histogram holds nanoseconds between ticks, the tick's own interval included. */
function lateness(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds / 1e6 - resolutionMs) * 100) / 100);
}
