/**
 * Signals that Node.js cannot receive by itself, and that end a process which nobody expects to get
 * them.
 */
import { outcomeOf } from './outcome.js';
import { nativeAddon } from '../native/load.js';
import type { KernelOutcome } from '../ports.js';

/**
 * Calls `onSignal` for each delivery of signal `number` (such as 36, SIGRTMIN+2) until the process
 * ends.
 */
export function onSignalNumber(number: number, onSignal: () => void): KernelOutcome {
  return outcomeOf(nativeAddon().watchSignal(number, onSignal));
}
