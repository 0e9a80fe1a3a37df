/** Flows and events of the last hour, for the page's charts: one sample each ten seconds. */
import { seconds } from '../base/time.js';
import type { StatusAnswer } from '../control/statusAnswer.js';

export const samplePeriod = seconds(10);
const kept = 360;

/** `eventsPerSecond`: absent in the first sample, and after the sync engine began anew. */
export interface HourSample {
  readonly at: number;
  readonly flows: number;
  readonly eventsPerSecond?: number;
}

export class HourSamples {
  #samples: HourSample[] = [];
  #before: { readonly at: number; readonly events: number } | undefined;

  get all(): readonly HourSample[] {
    return this.#samples;
  }

  /** `at`: milliseconds since 1970. */
  add({ sync }: StatusAnswer, at: number): void {
    if (sync === undefined) return;
    const events = sync.events.received;
    const before = this.#before;
    this.#before = { at, events };
    const flows = sync.kernel?.flows ?? sync.internal.entries;
    const isCounted = before !== undefined && events >= before.events && at > before.at;
    const rate = isCounted ? ((events - before.events) * 1000) / (at - before.at) : undefined;
    this.#samples = [
      ...this.#samples,
      { at, flows, ...(rate === undefined ? {} : { eventsPerSecond: rate }) },
    ].slice(-kept);
  }
}
