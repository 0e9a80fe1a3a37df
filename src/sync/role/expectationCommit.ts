/** Writes the cached expectations into the kernel, one request after the other, in slices. */
import {
  addTime,
  milliseconds,
  subtractSeconds,
  wholeSeconds,
  type Clock,
  type Turns,
} from '../../base/time.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import { ExpectationInjector } from '../../conntrack/kernel/expectationInjector.js';
import type { ExpectationCache, ExpectationEntry } from '../tables/expectations.js';

const leastTimeoutSeconds = 60;
const slice = milliseconds(2);

export interface ExpectationCommitOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly fixedTimeoutSeconds: number | undefined;
  /**
   * Port id of the socket, known before the first change; what it returns is called once that is
   * closed.
   */
  readonly onPort: (portId: number) => () => void;
  readonly onFailure: (errno: number) => void;
  /** What was written stays; the rest is not tried. */
  readonly isOver: () => boolean;
  /** Absent: the kernel's. */
  readonly open?: () => Pick<ExpectationInjector, 'portId' | 'put' | 'close'>;
}

export interface ExpectationCounts {
  /** The kernel took them. */
  readonly committed: number;
  readonly failed: number;
}

/** Leaves the thread to others every 2 ms. Rejects with KernelError where no socket can be had. */
export async function commitExpectations(
  cache: ExpectationCache,
  options: ExpectationCommitOptions,
): Promise<ExpectationCounts> {
  const counts = { committed: 0, failed: 0 };
  if (cache.count === 0) return counts;
  const { clock, turns, isOver, onFailure } = options;
  const writer = options.open?.() ?? new ExpectationInjector();
  const closed = options.onPort(writer.portId);
  try {
    let end = addTime(clock.now(), slice);
    for (const entry of [...cache]) {
      if (clock.now() >= end) {
        await new Promise<void>((resolve) => {
          turns.next(resolve);
        });
        end = addTime(clock.now(), slice);
      }
      if (isOver()) break;
      // What ended meanwhile is left out.
      if (entry.lifecycle === lifecycle.dead || !cache.has(entry)) continue;
      const errno = writer.put(entry.content, timeoutOf(entry, options));
      if (errno === 0) counts.committed++;
      else {
        counts.failed++;
        onFailure(errno);
      }
    }
  } finally {
    writer.close();
    closed();
  }
  return counts;
}

function timeoutOf(
  { content, updatedSeconds }: ExpectationEntry,
  { clock, fixedTimeoutSeconds }: ExpectationCommitOptions,
): number {
  if (fixedTimeoutSeconds !== undefined) return fixedTimeoutSeconds;
  const told = content.timeoutSeconds ?? 0;
  const left = told - subtractSeconds(wholeSeconds(clock.now()), updatedSeconds);
  return left > 0 ? left : Math.max(leastTimeoutSeconds, told);
}
