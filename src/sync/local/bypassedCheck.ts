/**
 * DisableInternalCache: there is no cache to compare with the kernel; the counts are read for the
 * status.
 */
import type { Microseconds } from '../../base/time.js';
import type { ResyncResult } from '../../conntrack/kernel/flowMirror.js';
import type { KernelView } from '../messages.js';
import { KernelReadings, type KernelCheck, type KernelCheckParts } from './kernelCheck.js';

export class BypassedCheck implements KernelCheck {
  readonly doubt = undefined;
  readonly #readings: KernelReadings;

  constructor(parts: KernelCheckParts) {
    this.#readings = new KernelReadings(parts);
  }

  /** Nothing is kept that could be apart from the kernel. */
  get view(): KernelView {
    return { ...this.#readings.view, isApart: false, isEmptied: false };
  }

  emptied(): void {
    // No verb empties what is on its way.
  }

  roleChanged(): void {
    // A bulk reads the kernel anew in any case.
  }

  compared(result: ResyncResult, startedAt: Microseconds): void {
    this.#readings.compared(result, startedAt);
  }

  tick(now: Microseconds): void {
    this.#readings.tick(now);
  }

  compareNow(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#readings.close();
  }
}
