/** Control messages that wait to be sent: ranges that touch become one. */
import { rangeFlags, sequenceDistance } from '../../wire/header.js';
import type { ControlMessage } from './resendQueue.js';

/** Messages at the end of the queue that a new range may be joined with. */
const looks = 16;

/**
 * True where the range became part of one that waits already. On a network that reorders, each gap
 * gives two control messages, which are numbered themselves: apart they would feed on each other.
 */
export function joinWaiting(
  queue: readonly ControlMessage[],
  flags: number,
  from: number,
  to: number,
): boolean {
  if ((flags & rangeFlags) === 0) return false;
  for (const waiting of queue.slice(-looks)) {
    if (waiting.flags !== flags) continue;
    const touches =
      sequenceDistance(from, waiting.to) <= 1 && sequenceDistance(waiting.from, to) <= 1;
    if (!touches) continue;
    if (sequenceDistance(from, waiting.from) < 0) waiting.from = from;
    if (sequenceDistance(to, waiting.to) > 0) waiting.to = to;
    return true;
  }
  return false;
}
