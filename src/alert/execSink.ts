/**
 * An alarm as a command: the JSON on its standard input, what a shell needs of it in the
 * environment. Taken is what ends with status 0; what takes too long is ended with its group.
 */
import { seconds, type Timers } from '../base/time.js';
import { runWithDeadline, type LimitedRun } from '../vrrp/scripts/deadline.js';
import { describeEnd, type ProcessSpawner } from '../vrrp/scripts/process.js';
import type { ScriptCommand } from '../vrrp/settings.js';
import type { Alarm } from './alarm.js';
import type { Delivery } from './courier.js';

const timeout = seconds(30);

export interface ExecPorts {
  readonly timers: Timers;
  readonly spawner: ProcessSpawner;
  /** What runs, until its end. */
  readonly running: Set<LimitedRun>;
}

export function runAlarm(
  command: ScriptCommand,
  alarm: Alarm,
  ports: ExecPorts,
): Promise<Delivery> {
  const { running } = ports;
  const given = { ...command, environment: variablesOf(alarm) };
  return new Promise((resolve) => {
    const run = runWithDeadline(
      ports,
      given,
      timeout,
      ({ end, timedOut }) => {
        running.delete(run);
        if (end.kind === 'exited' && end.status === 0 && !timedOut) resolve({ kind: 'taken' });
        else if (timedOut) resolve({ kind: 'refused', reason: 'it was ended after 30 s' });
        else resolve({ kind: 'refused', reason: describeEnd(end) });
      },
      `${JSON.stringify(alarm)}\n`,
    );
    running.add(run);
  });
}

/** KEEPSTATE_ALERT_*: no JSON needed in a shell. */
export function variablesOf(alarm: Alarm): Readonly<Record<string, string>> {
  const { id, sequence, kind, node, at, text } = alarm;
  const named = { id, sequence: String(sequence), kind, node, at, text, ...details(alarm) };
  return Object.fromEntries(
    Object.entries(named).map(([name, value]) => [
      `KEEPSTATE_ALERT_${name.toUpperCase()}`,
      // The end of an environment string.
      value.replaceAll('\0', ''),
    ]),
  );
}

function details(alarm: Alarm): Readonly<Record<string, string>> {
  if (alarm.kind === 'problem') {
    const { state, code, severity, subject = '' } = alarm.problem;
    return { state, code, severity, subject };
  }
  const { name, kind: unit, from, to } = alarm.role;
  return { name, unit, from, to };
}
