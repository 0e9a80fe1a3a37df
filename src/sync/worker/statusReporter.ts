/** Tells the main thread how the engine does: once a second, and at once where it changes. */
import { Lateness } from '../../base/lateness.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { EnginePorts } from '../engine/engine.js';
import { errorText } from '../../base/errors.js';
import type { SyncStatus } from '../messages.js';
import type { EndedFlowLog } from '../statistics/endedFlowLog.js';
import { statisticsStatus } from '../statistics/statisticsStatus.js';

const statusInterval = seconds(1);

export interface Reporting {
  status(): SyncStatus;
  summary(now: Microseconds): string;
}

export class StatusReporter {
  /** Of the engine's ticks, those of the last five seconds. */
  readonly lateness = new Lateness(50);
  readonly #ports: Pick<EnginePorts, 'clock' | 'logger' | 'report'>;
  readonly #log: () => EndedFlowLog | undefined;
  #reportedAt: Microseconds | undefined;
  #lastSummary = '';

  /** `log`: of connections that ended, where one is kept. */
  constructor(
    ports: Pick<EnginePorts, 'clock' | 'logger' | 'report'>,
    log: () => EndedFlowLog | undefined,
  ) {
    this.#ports = ports;
    this.#log = log;
  }

  tick(engine: Reporting, now: Microseconds, late: Microseconds): void {
    this.lateness.note(late);
    const summary = engine.summary(now);
    const isOld =
      this.#reportedAt === undefined || subtractTime(now, this.#reportedAt) >= statusInterval;
    if (summary === this.#lastSummary && !isOld) return;
    this.#lastSummary = summary;
    this.report(engine);
  }

  report(engine: Reporting): void {
    const { clock, report, logger } = this.#ports;
    this.#reportedAt = clock.now();
    try {
      report({ kind: 'status', status: engine.status() });
      const log = this.#log();
      if (log === undefined) return;
      report({ kind: 'statistics', status: statisticsStatus(log, clock.now()) });
    } catch (error) {
      logger.log('error', 'cannot assemble the sync status', { reason: errorText(error) });
    }
  }
}
