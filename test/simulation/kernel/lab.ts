/**
 * One model kernel with one thread on a clock that a test moves, and the least of netlink by hand.
 */
import { microseconds } from '../../../src/base/time.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import { Kernel } from './kernel.js';
import type { KernelOptions, Tuple } from './kernelPorts.js';
import { enterThread, installSimulatedAddon, type EnteredThread } from './simulatedAddon.js';

export interface KernelLab {
  readonly time: ManualTime;
  readonly kernel: Kernel;
  readonly thread: EnteredThread;
}

/** The thread is entered: what the product opens from now on belongs to it. */
export function openLab(options: Partial<KernelOptions> = {}): KernelLab {
  installSimulatedAddon();
  const time = new ManualTime();
  const kernel = new Kernel({ clock: time, timers: time, random: new SeededRandom(1), ...options });
  const thread = { kernel, timers: time };
  enterThread(thread);
  return { time, kernel, thread };
}

/** `tcp('10.0.0.1', 1000, '10.0.1.1', 80)`. */
export const tcp = tupleOf(6);
export const udp = tupleOf(17);

function tupleOf(protocol: number) {
  return (
    source: string,
    sourcePort: number,
    destination: string,
    destinationPort: number,
  ): Tuple => ({ protocol, source, sourcePort, destination, destinationPort });
}

export const secondsOf = (count: number) => microseconds(count * 1_000_000);
