/** How late adverts leave, by the kernel's time at the sending interface. */
import type { CapturedFrame } from '../test/lab/capture.js';

/**
 * Milliseconds by which each advert came later than one interval after the one before it, sorted.
 * The IP identification tells packets that the capture lost from adverts that never left.
 */
export function lateness(frames: readonly CapturedFrame[], interval: number): number[] {
  const last = new Map<number, { readonly time: number; readonly id: number }>();
  const late: number[] = [];
  for (const { time, bytes } of frames) {
    const vrid = bytes[35] ?? 0;
    const id = bytes.readUInt16BE(18);
    const before = last.get(vrid);
    if (before !== undefined && ((before.id + 1) & 0xffff) === id) {
      late.push(Math.max(0, time - before.time - interval) * 1_000);
    }
    last.set(vrid, { time, id });
  }
  return late.sort((a, b) => a - b);
}

/** `share` of 0.5 is the median. */
export function part(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
