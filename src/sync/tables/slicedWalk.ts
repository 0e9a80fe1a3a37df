/**
 * The living flows of a table, one after the other, in slices: between two of them the event loop
 * serves events, replication and timers. The table may change meanwhile; flows that come and go are
 * met or missed.
 */
import { milliseconds, type Clock, type Turns } from '../../base/time.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';

const slice = milliseconds(2);
/** Slots between two looks at the clock. */
const slotsPerLook = 64;

export interface SlicedWalkOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  /** Asked before each slice: nothing more is to be met. */
  readonly isOver: () => boolean;
  /** Called behind each slice, the last one too. */
  readonly sliceDone?: () => void;
}

/**
 * Calls `use` with the slot of each living flow; resolves at the end of the table, or when it is
 * over.
 */
export async function walkInSlices(
  table: FlowTable,
  { clock, turns, isOver, sliceDone }: SlicedWalkOptions,
  use: (slot: number) => void,
): Promise<void> {
  let slot = 0;
  const isAtEnd = (): boolean => {
    const end = clock.now() + slice;
    do {
      for (let i = 0; i < slotsPerLook; i++) {
        slot = table.next(slot);
        if (slot === 0) return true;
        if (table.lifecycle(slot) !== lifecycle.dead) use(slot);
      }
    } while (clock.now() < end);
    return false;
  };
  for (;;) {
    const isDone = isOver() || isAtEnd();
    sliceDone?.();
    if (isDone) return;
    await new Promise<void>((resolve) => {
      turns.next(resolve);
    });
  }
}
