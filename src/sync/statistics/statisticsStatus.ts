/** What the status tells of the log of connections that ended. */
import type { Microseconds } from '../../base/time.js';
import type { StatisticsCapture, StatisticsStatus } from '../messages.js';
import type { EndedFlowLog } from './endedFlowLog.js';

export function statisticsStatus(
  log: Pick<EndedFlowLog, 'isServing' | 'logged' | 'outputs'>,
  at: Microseconds,
  capture?: StatisticsCapture,
): StatisticsStatus {
  return {
    at,
    isLogging: log.isServing,
    logged: log.logged,
    outputs: log.outputs,
    ...(capture === undefined ? {} : { capture }),
  };
}
