/** Alarms for tests, by their number. */
import type { ProblemAlarm, RoleAlarm } from '../../../src/alert/alarm.js';

export function roleAlarm(sequence: number, role: Partial<RoleAlarm['role']> = {}): RoleAlarm {
  return {
    version: 1,
    id: `id-${sequence}`,
    sequence,
    node: 'fw1',
    at: '2026-01-01T00:00:00.000Z',
    text: `fw1: alarm ${sequence}`,
    kind: 'role',
    role: {
      ...{ name: 'A', kind: 'instance', from: 'BACKUP', to: 'MASTER', because: 'of the test' },
      ...role,
    },
  };
}

export function problemAlarm(
  sequence: number,
  problem: Partial<ProblemAlarm['problem']> = {},
): ProblemAlarm {
  const { version, node, at, text } = roleAlarm(sequence);
  const id = `id-${sequence}`;
  return {
    ...{ version, node, at, text, id, sequence },
    kind: 'problem',
    problem: {
      ...{ state: 'begun', code: 'late', severity: 'warning', text: 'it is late', remedy: 'hurry' },
      ...{ begun: at, beginning: id },
      ...problem,
    },
  };
}
