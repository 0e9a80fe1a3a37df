/**
 * Reports of the worker that need nothing of the node: log lines, recorded lines, `conntrackd -k`.
 */
import type { Logger } from '../../base/logger.js';
import type { SyncReport } from '../../sync/messages.js';

export interface PlainReportPorts {
  readonly logger: Logger;
  readonly record?: (line: object) => void;
  readonly onStopRequested: () => void;
}

/** Others are left as they are. */
export function handlePlainReport(report: SyncReport, ports: PlainReportPorts): void {
  if (report.kind === 'log') ports.logger.log(report.level, report.message, report.fields);
  else if (report.kind === 'recorded') ports.record?.(report.line);
  else if (report.kind === 'stopRequested') ports.onStopRequested();
}
