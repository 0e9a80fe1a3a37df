/** conntrackd's `Stats` block: what logs nothing. */
import { last } from '../table/row.js';
import type { WarningInputs } from './warningInputs.js';

export function warnAboutStats({ root, settings, problems }: WarningInputs): void {
  const stats = last(root.Stats);
  const { statistics } = settings;
  if (stats === undefined || statistics === undefined) return;
  if (statistics.file !== undefined || statistics.syslogFacility !== undefined) return;
  const message = "'Stats' logs nothing: neither LogFile nor Syslog is on";
  problems.warning(stats.at, 'no-effect', message, { expected: 'LogFile on' });
}
