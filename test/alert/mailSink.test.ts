/** nodemailer against a real SMTP conversation on the loopback. */
import type { MailSettings } from '../../src/alert/alertSettings.js';
import { mailAlarm } from '../../src/alert/mailSink.js';
import { NameLookup } from '../../src/alert/nameLookup.js';
import { SystemTimers } from '../../src/base/systemClock.js';
import { seconds } from '../../src/base/time.js';
import { problemAlarm, roleAlarm } from '../support/alert/alarms.js';
import { smtpServer, type SmtpServer } from '../support/alert/smtpServer.js';
import { ManualTime } from '../support/base/manualTime.js';
import { waitFor } from '../lab/waitFor.js';

let server: SmtpServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

function settings(port: number): MailSettings {
  return {
    kind: 'mail',
    ...{ host: '127.0.0.1', port, helo: 'fw1.example', from: 'fw@example.com' },
    to: ['admin@example.com', 'root@localhost'],
    connectTimeout: seconds(5),
    ...{ routerId: 'fw1', instances: ['A'], groups: [], tellsFaults: true },
  };
}

const ports = { timers: new SystemTimers(), names: new NameLookup() };

test('one mail to all of notification_email, recognisable when it comes twice', async () => {
  server = await smtpServer();
  const alarm = roleAlarm(7);
  expect(await mailAlarm(settings(server.port), alarm, ports)).toEqual({ kind: 'taken' });
  expect(server.greetings).toEqual(['EHLO fw1.example']);
  const [mail] = server.mails;
  expect(mail).toMatchObject({
    from: 'fw@example.com',
    to: ['admin@example.com', 'root@localhost'],
  });
  expect(mail?.text).toContain('Subject: [fw1] VRRP Instance A - Entering MASTER state');
  expect(mail?.text).toContain('Message-ID: <id-7@fw1.example>');
  expect(mail?.text).toContain('X-Keepstate-Alert: id-7');
  expect(mail?.text).toContain('Date: Thu, 01 Jan 2026 00:00:00 +0000');
  expect(mail?.text).toContain('\n=> VRRP Instance is now owning VRRP VIPs <=');
});

test('a server that offers STARTTLS is spoken to in plain, as keepalived does', async () => {
  const lines: string[] = [];
  server = await smtpServer((line) => {
    lines.push(line);
    return line.startsWith('EHLO') ? '250-test\r\n250 STARTTLS' : undefined;
  });
  expect(await mailAlarm(settings(server.port), roleAlarm(1), ports)).toEqual({ kind: 'taken' });
  expect(lines).not.toContain('STARTTLS');
});

test('names cannot add header lines or recipients', async () => {
  server = await smtpServer();
  const name = 'A\r\nBcc: x@example.com';
  const given = { ...settings(server.port), instances: [name] };
  expect(await mailAlarm(given, roleAlarm(1, { name }), ports)).toEqual({ kind: 'taken' });
  expect(server.mails[0]?.text).not.toMatch(/^Bcc:/m);
  expect(server.mails[0]?.to).toHaveLength(2);
});

test('what no mail is for is passed over', async () => {
  expect(await mailAlarm(settings(9), problemAlarm(1), ports)).toEqual({ kind: 'taken' });
});

test.each([
  ['the sender', /^MAIL/, '550 not you'],
  ['all recipients', /^RCPT/, '550 unknown'],
  ['the text', /^\.$/, '452 full'],
])('%s refused by the server: refused with its words', async (_what, lines, reply) => {
  server = await smtpServer((line) => (lines.test(line) ? reply : undefined));
  const delivery = await mailAlarm(settings(server.port), roleAlarm(1), ports);
  expect(delivery).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining(reply) as string,
  });
});

test('one recipient of two is enough', async () => {
  server = await smtpServer((line) =>
    line.startsWith('RCPT TO:<root') ? '550 unknown' : undefined,
  );
  expect(await mailAlarm(settings(server.port), roleAlarm(1), ports)).toEqual({ kind: 'taken' });
});

test('nobody listens', async () => {
  expect(await mailAlarm(settings(9), roleAlarm(1), ports)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('ECONNREFUSED') as string,
  });
});

test('a server that goes silent half way costs 30 s, and no more', async () => {
  const time = new ManualTime();
  let isSilent = false;
  server = await smtpServer((line) => {
    isSilent ||= line.startsWith('MAIL');
    return isSilent ? '250-and' : undefined;
  });
  const delivery = mailAlarm(settings(server.port), roleAlarm(1), { ...ports, timers: time });
  await waitFor(() => isSilent, { description: 'the silence' });
  await time.advance(seconds(31));
  expect(await delivery).toEqual({ kind: 'refused', reason: 'no answer within 30 s' });
});
