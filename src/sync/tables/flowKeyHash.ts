/**
 * The 64 bits of hash by which two nodes speak of a flow without sending it. Whoever answers
 * chooses the seeds, at random: outsiders cannot choose tuples that collide. Computed for
 * comparisons and for flows that end, never per event.
 */
import type { RandomSource } from '../../base/time.js';
import { hashKey } from '../../conntrack/record/flowKey.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';

/** Two seeds of 32 bits: one for each half of the hash. */
export type KeySeeds = readonly [number, number];

export function newKeySeeds(random: RandomSource): KeySeeds {
  return [random.below(0x1_0000_0000), random.below(0x1_0000_0000)];
}

/** The first half, which says the part. */
export function keyHash(flow: FlowCursor, seeds: KeySeeds): number {
  return hashKey(flow, seeds[0]);
}

/** The second half; never 0, which marks an empty place in a KeySet. */
export function keyRest(flow: FlowCursor, seeds: KeySeeds): number {
  return (hashKey(flow, seeds[1]) | 1) >>> 0;
}
