/**
 * Priorities of the two threads: keepalived's keywords for the one that serves VRRP, conntrackd's
 * for the sync worker. However they are set, the worker never comes before VRRP:
 * docs/decisions/scheduling.md.
 */
import type { NodeSettings, ThreadScheduling } from '../nodeSettings.js';
import { last } from '../table/row.js';
import { valueOf } from './context.js';
import type { GlobalValues } from './globals.js';
import { one, type GeneralValues } from './sync.js';

/** Highest real-time priority of the worker: one is left above it (sched(7): 1..99). */
const highestOfWorker = 98;

/** undefined where the file says nothing of it: both threads stay as the process was started. */
export function buildScheduling(
  globals: GlobalValues,
  general: GeneralValues | undefined,
): NodeSettings['scheduling'] {
  const sync = ofWorker(general);
  const vrrp = ofVrrp(valueOf(globals.vrrp_priority), valueOf(globals.vrrp_rt_priority), sync);
  const isSilent = [sync, vrrp].every((each) => Object.keys(each).length === 0);
  return isSilent ? undefined : { vrrp, sync };
}

function ofWorker(general: GeneralValues | undefined): ThreadScheduling {
  const nice = one(general, 'Nice');
  const scheduler = general === undefined ? undefined : last(general.Scheduler)?.value.values;
  const priority = scheduler === undefined ? 0 : (last(scheduler.Priority)?.value ?? 0);
  return {
    ...(nice === undefined ? {} : { nice }),
    // Type without Priority means 0, which the kernel refuses: conntrackd then keeps the normal
    // policy.
    ...(scheduler === undefined || priority === 0
      ? {}
      : {
          realtime: {
            policy: last(scheduler.Type)?.value === 'FIFO' ? 'fifo' : 'rr',
            priority: Math.min(priority, highestOfWorker),
          },
        }),
  };
}

/** Real-time above the worker's, and a nice value that is not worse than the worker's. */
function ofVrrp(
  ownNice: number | undefined,
  ownPriority: number | undefined,
  sync: ThreadScheduling,
): ThreadScheduling {
  const isSilent = ownNice === undefined && sync.nice === undefined;
  const aboveWorker = sync.realtime === undefined ? 0 : sync.realtime.priority + 1;
  const priority = Math.max(ownPriority ?? 0, aboveWorker);
  return {
    ...(isSilent ? {} : { nice: Math.min(ownNice ?? 0, sync.nice ?? 0) }),
    ...(priority === 0 ? {} : { realtime: { policy: 'rr', priority } }),
  };
}
