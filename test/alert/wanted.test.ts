import { sinkKey, sinkName, type SinkSettings } from '../../src/alert/alertSettings.js';
import { seconds } from '../../src/base/time.js';
import type { Alarm } from '../../src/alert/alarm.js';
import { isWanted } from '../../src/alert/wanted.js';
import { problemAlarm, roleAlarm } from '../support/alert/alarms.js';

const hook = (...on: readonly ('role' | 'takeover' | 'problem' | 'error')[]): SinkSettings => ({
  kind: 'webhook',
  url: 'https://alerts.example/services/T0/secret?token=abc',
  on,
});

const takeover: Alarm = { ...roleAlarm(2), kind: 'takeover' };
const warning = problemAlarm(3);
const error = problemAlarm(4, { severity: 'error' });

test.each([
  [hook('role'), [1]],
  [hook('takeover'), [2]],
  [hook('problem'), [3, 4]],
  [hook('error'), [4]],
  [hook('role', 'error'), [1, 4]],
])('%j takes %j', (sink, sequences) => {
  const taken = [roleAlarm(1), takeover, warning, error].filter((one) => isWanted(one, sink));
  expect(taken.map(({ sequence }) => sequence)).toEqual(sequences);
});

test('a sink has one place whatever it takes, and its secrets are not shown', () => {
  const often = { ...hook('role'), repeat: seconds(60) };
  expect(sinkKey(often)).toBe(sinkKey(hook('problem')));
  expect(sinkName(often)).toBe('webhook https://alerts.example');
  const exec = (...words: readonly string[]): SinkSettings => ({
    kind: 'exec',
    command: { words },
    on: ['role'],
  });
  expect(sinkName(exec('/x', '--password', 'y'))).toBe('exec /x');
  expect(sinkKey(exec('/x', 'a b'))).not.toBe(sinkKey(exec('/x', 'a', 'b')));
});
