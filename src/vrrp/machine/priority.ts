/** Priority arithmetic of tracking (keepalived 2.2.7). */
import type { Contribution } from './events.js';

const ownerPriority = 255;

export function isOwner(priority: number): boolean {
  return priority === ownerPriority;
}

/** base + contributions, kept within 1..254. An address owner (base 255) ignores all weights. */
export function effectivePriority(base: number, contributions: readonly Contribution[]): number {
  if (isOwner(base)) return base;
  const sum = contributions.reduce((total, { value }) => total + value, base);
  return Math.min(254, Math.max(1, sum));
}

/**
 * What a tracker with `weight` contributes: a positive weight counts while it is good, a negative
 * one while it is bad; `isReversed` swaps good and bad. Weight 0 contributes nothing: being bad is
 * a fault.
 */
export function trackerContribution(weight: number, isReversed: boolean, isGood: boolean): number {
  const counts = weight > 0 ? isGood !== isReversed : isGood === isReversed;
  return counts ? weight : 0;
}

/** Whether an unweighted tracker is a fault now. */
export function isTrackerFault(weight: number, isReversed: boolean, isGood: boolean): boolean {
  return weight === 0 && isGood === isReversed;
}
