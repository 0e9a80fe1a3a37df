/**
 * After the end of the peer's bulk: removes what was not part of it, in turns. A peer that restarts
 * between two turns begins another stream of numbers, in which nothing was heard yet: what is left
 * is not judged by the old bulk.
 */
import type { Turns } from '../../base/time.js';
import type { ExternalCache, SweepScope } from './externalCache.js';

const slotsPerTurn = 8_192;

/** Number of flows removed that no message named since the bulk began. */
export function sweepExternal(
  external: ExternalCache,
  scope: SweepScope,
  turns: Turns,
  isOver: () => boolean,
): Promise<number> {
  const { stream } = external;
  return new Promise((resolve) => {
    let removed = 0;
    const step = (from: number): void => {
      if (isOver() || external.stream !== stream) {
        resolve(removed);
        return;
      }
      const next = external.sweep(from, scope, slotsPerTurn, (count) => {
        removed += count;
      });
      if (next === 0) resolve(removed);
      else {
        turns.next(() => {
          step(next);
        });
      }
    };
    step(0);
  });
}
