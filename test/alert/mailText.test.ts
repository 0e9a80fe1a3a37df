/** The words are those that keepalived 2.2.7 sent to a server (src/alert/mailText.ts). */
import type { MailSettings } from '../../src/alert/alertSettings.js';
import { isMailed, mailText } from '../../src/alert/mailText.js';
import { seconds } from '../../src/base/time.js';
import { problemAlarm, roleAlarm } from '../support/alert/alarms.js';

const settings: MailSettings = {
  kind: 'mail',
  ...{ host: '127.0.0.1', port: 25, helo: 'fw1.example', from: 'fw@example.com' },
  to: ['admin@example.com'],
  connectTimeout: seconds(30),
  routerId: 'fw1',
  instances: ['A'],
  groups: ['G'],
  tellsFaults: true,
};

test.each([
  ['instance', 'A', 'MASTER', 'VRRP Instance A', 'VRRP Instance is now owning VRRP VIPs'],
  ['instance', 'A', 'BACKUP', 'VRRP Instance A', 'VRRP Instance is no longer owning VRRP VIPs'],
  ['instance', 'A', 'FAULT', 'VRRP Instance A', 'VRRP Instance is no longer owning VRRP VIPs'],
  ['group', 'G', 'MASTER', 'VRRP Group G', 'All VRRP group instances are now in MASTER state'],
])('%s %s becomes %s', (kind, name, to, who, sentence) => {
  const alarm = roleAlarm(1, { kind, name, to });
  expect(isMailed(alarm, settings)).toBe(true);
  const { subject, text } = mailText(alarm, settings);
  expect(subject).toBe(`[fw1] ${who} - Entering ${to} state`);
  expect(text.split('\n')[0]).toBe(`=> ${sentence} <=`);
});

test('nothing else is mailed', () => {
  const others = [
    roleAlarm(1, { to: 'INIT' }),
    roleAlarm(2, { name: 'B' }),
    roleAlarm(3, { name: 'A', kind: 'group' }),
    roleAlarm(4, { kind: 'sync' }),
    { ...roleAlarm(5), kind: 'takeover' as const },
    problemAlarm(6),
  ];
  expect(others.filter((alarm) => isMailed(alarm, settings))).toEqual([]);
  const quiet = { ...settings, tellsFaults: false };
  expect(isMailed(roleAlarm(7, { to: 'FAULT' }), quiet)).toBe(false);
  expect(isMailed(roleAlarm(8), quiet)).toBe(true);
});
