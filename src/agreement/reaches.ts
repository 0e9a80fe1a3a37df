/**
 * Rule 3: which of two nodes serves more. Counted is who is answered: the owner is to be the node
 * through which clients of one segment reach servers of another by more pairs.
 */
import type { AgreementSettings } from './settings.js';
import type { Reach } from './statement.js';
import { segmentsOf } from './views.js';

/** Of a segment that is whole, the same for both nodes: as many as are asked of one in doubt. */
const whole = 8;

export type Comparison = 'dead' | 'equal' | 'better' | 'worse';

/** This node beside its peer; undefined while one of them has not said what it was answered. */
export function compareReach(
  own: Readonly<Record<string, Reach>>,
  peer: Readonly<Record<string, Reach>>,
  segments: readonly string[],
  settings: AgreementSettings,
): Comparison | undefined {
  if (!segments.every((name) => own[name] !== undefined && peer[name] !== undefined)) {
    return undefined;
  }
  const [ours, theirs] = [own, peer].map((reach) => score(reach, segments, segmentsOf(settings)));
  if (ours === undefined || theirs === undefined) return undefined;
  if (ours === 0 && theirs === 0) return 'dead';
  if (ours === theirs) return 'equal';
  return ours > theirs ? 'better' : 'worse';
}

function score(
  reach: Readonly<Record<string, Reach>>,
  doubted: readonly string[],
  segments: readonly string[],
): number {
  const served = segments.map((name) => (doubted.includes(name) ? servedOn(reach[name]) : whole));
  if (served.length < 2) return served[0] ?? 0;
  let pairs = 0;
  let before = 0;
  for (const count of served) {
    pairs += before * count;
    before += count;
  }
  return pairs;
}

function servedOn(reach: Reach | undefined): number {
  if (reach === undefined || !reach.hasCarrier || !reach.hasTargets) return 0;
  return Math.min(whole, reach.answered);
}
