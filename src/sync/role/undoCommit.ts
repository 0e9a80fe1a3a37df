/**
 * Takes back what was committed in advance for a role that did not come: the kernel again has only
 * the flows that are this node's own. The external cache, which belongs to the living MASTER, is
 * kept. What that one ends meanwhile leaves the cache before the walk finds it, and is removed at
 * once.
 */
import type { Clock, Turns } from '../../base/time.js';
import { FlowInjector } from '../../conntrack/kernel/flowInjector.js';
import type { InjectionSocket } from '../../conntrack/kernel/injectionSocket.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';
import type { ExternalCache, ExternalListener } from '../remote/externalCache.js';
import { walkInSlices } from '../tables/slicedWalk.js';

export interface UndoOptions {
  /** Whoever listened to it does so no more. */
  readonly external: ExternalCache;
  /** Flows that stand here too are left alone. */
  readonly internal: FlowTable;
  readonly clock: Clock;
  readonly turns: Turns;
  /**
   * The port whose events are effects of this; what it returns is called once the port is closed.
   */
  readonly onPort: (portId: number) => () => void;
  /** A new role wants the flows after all. */
  readonly isOver: () => boolean;
  /** Final refusals, for the log. */
  readonly onFailure?: (slot: number, errno: number) => void;
  /** Absent: the kernel's. */
  readonly socket?: InjectionSocket;
}

/** Number of flows removed. Rejects with KernelError. */
export async function undoCommit(options: UndoOptions): Promise<number> {
  const { external, internal, clock, turns, onPort, isOver, onFailure, socket } = options;
  const { table } = external;
  const source = { table, cursor: table.newCursor() };
  const how = { windowTracking: false, onExisting: 'keep' } as const;
  const injector = new FlowInjector(how, source, onFailure, socket);
  const cursor = table.newCursor();
  const remove = (slot: number): void => {
    const flow = table.seek(slot, cursor);
    if (internal.find(flow) === 0) injector.remove(flow, slot);
  };
  const listener: ExternalListener = { flowApplied: () => undefined, flowEnding: remove };
  external.listen(listener);
  const closed = onPort(injector.portId);
  try {
    const sliceDone = (): void => {
      injector.flush();
    };
    await walkInSlices(table, { clock, turns, isOver, sliceDone }, remove);
    return injector.counts.requested - injector.counts.failed;
  } finally {
    external.unlisten(listener);
    injector.close();
    closed();
  }
}
