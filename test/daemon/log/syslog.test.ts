import { syslogDatagram } from '../../../src/daemon/log/syslog.js';

test('a datagram has facility and severity in one number', () => {
  const record = { level: 'warning', message: 'm', fields: { a: 1 } } as const;
  expect(syslogDatagram(record, 'local0', 9)).toBe('<132>keepstate[9]: m a=1');
  expect(syslogDatagram(record, 'unknown', 9)).toBe('<28>keepstate[9]: m a=1');
});
