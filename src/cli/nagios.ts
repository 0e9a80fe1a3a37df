/**
 * One line for Nagios, Icinga, check_mk and Zabbix (Monitoring Plugins guidelines): the state, who
 * has the role, problems, and performance data behind a bar. Pure.
 */
import { printableValue } from '../base/printable.js';
import type { StatusAnswer } from '../control/statusAnswer.js';

export const nagiosCode = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const;

export interface NagiosResult {
  readonly code: number;
  readonly line: string;
}

/** Errors are CRITICAL, warnings WARNING; both only as far as `status` counts them. */
export function nagiosResult(answer: StatusAnswer): NagiosResult {
  const status = printableValue(answer);
  const { node, role, problems } = status;
  const isCritical = problems.some(({ severity }) => severity === 'error');
  const state = isCritical ? 'CRITICAL' : problems.length > 0 ? 'WARNING' : 'OK';
  const code = { CRITICAL: nagiosCode.critical, WARNING: nagiosCode.warning, OK: nagiosCode.ok };
  const texts = problems.map(({ code: name, text }) => `${name}: ${text}`);
  const words = texts.length === 0 ? 'no problem is known' : texts.join('; ');
  // A bar would begin the performance data.
  const said = `${node} is ${role}, ${words}`.replaceAll('|', '/');
  return { code: code[state], line: `KEEPSTATE ${state}: ${said} | ${performance(status)}` };
}

/** Where the daemon gives no answer: nobody knows. */
export function nagiosUnknown(message: string): NagiosResult {
  const line = `KEEPSTATE UNKNOWN: ${message.replace(/\s*\n\s*/g, ' ').replaceAll('|', '/')}`;
  return { code: nagiosCode.unknown, line };
}

function performance({ role, problems, lateness, sync }: StatusAnswer): string {
  const data = [
    `master=${role === 'MASTER' ? 1 : 0}`,
    `problems=${problems.length}`,
    `late=${lateness.p99Ms}ms`,
  ];
  if (sync !== undefined) {
    const { internal, external, events, overruns } = sync;
    data.push(
      `internal=${internal.entries};;;0;${internal.limit}`,
      `external=${external.entries};;;0;${external.limit}`,
      `events=${events.received}c`,
      `overruns=${overruns}c`,
    );
  }
  return data.join(' ');
}
