/**
 * Takes back what was committed in advance for a role that did not come: the kernel again has only the flows that are
 * this node's own. The external cache, which belongs to the living MASTER, is kept.
 */
import { milliseconds, type Clock, type Turns } from '../base/time.js';
import { FlowInjector } from '../conntrack/flowInjector.js';
import { lifecycle } from '../conntrack/flowRecord.js';
import type { FlowTable } from '../conntrack/flowTable.js';

const slice = milliseconds(2);
/** Slots between two looks at the clock. */
const slotsPerLook = 64;

export interface UndoOptions {
  readonly external: FlowTable;
  /** Flows that stand here too are left alone. */
  readonly internal: FlowTable;
  readonly clock: Clock;
  readonly turns: Turns;
  /** The port whose events are effects of this. */
  readonly onPort: (portId: number) => void;
  /** A new role wants the flows after all. */
  readonly isOver: () => boolean;
}

/** Number of flows removed. Rejects with KernelError. */
export async function undoCommit(options: UndoOptions): Promise<number> {
  const { external, internal, clock, turns, onPort, isOver } = options;
  const source = { table: external, cursor: external.newCursor() };
  const injector = new FlowInjector({ windowTracking: false, onExisting: 'keep' }, source);
  const cursor = external.newCursor();
  onPort(injector.portId);
  try {
    let slot = 0;
    const work = (): boolean => {
      const end = clock.now() + slice;
      do {
        for (let i = 0; i < slotsPerLook; i++) {
          slot = external.next(slot);
          if (slot === 0) return true;
          if (external.lifecycle(slot) === lifecycle.dead) continue;
          const flow = external.seek(slot, cursor);
          if (internal.find(flow) === 0) injector.remove(flow, slot);
        }
      } while (clock.now() < end);
      return false;
    };
    for (;;) {
      const isDone = isOver() || work();
      injector.flush();
      if (isDone) return injector.counts.requested - injector.counts.failed;
      await new Promise<void>((resolve) => {
        turns.next(resolve);
      });
    }
  } finally {
    injector.close();
  }
}
