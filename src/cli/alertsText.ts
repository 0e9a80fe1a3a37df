/** Where alarms go, in the text of status. Pure. */
import type { AlertsStatus } from '../control/alertsStatus.js';
import { table, type Look } from './terminal.js';

export function alertsText({ sinks, unsaved }: AlertsStatus, look: Look): string {
  const rows = sinks.map(({ name, waiting, taken, lost, failures }) => [
    name,
    String(waiting),
    String(taken),
    String(lost),
    failures === 0 ? 'takes alarms' : `refused ${failures} times`,
  ]);
  const text = table([['ALARMS TO', 'WAITING', 'TAKEN', 'LOST', 'STATE'], ...rows], look);
  return unsaved === 0 ? text : `${text}\n${unsaved} alarms are not on the disk`;
}
