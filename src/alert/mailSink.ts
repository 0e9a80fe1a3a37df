/**
 * A role change as a mail, as keepalived sends it: plain SMTP, through nodemailer, over a
 * connection of our own, so that the whole of it has a limit of time.
 */
import { connect, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { errorText } from '../base/errors.js';
import { printable } from '../base/printable.js';
import { seconds, toMilliseconds, type Microseconds, type Timers } from '../base/time.js';
import type { Alarm, RoleAlarm } from './alarm.js';
import type { MailSettings } from './alertSettings.js';
import type { Delivery } from './courier.js';
import { isMailed, mailText } from './mailText.js';
import type { NameLookup } from './nameLookup.js';

/** For the whole conversation, after the connection. */
const conversation = seconds(30);
const longestReason = 200;

export interface MailPorts {
  readonly timers: Timers;
  readonly names: Pick<NameLookup, 'lookup'>;
}

export async function mailAlarm(
  settings: MailSettings,
  alarm: Alarm,
  ports: MailPorts,
): Promise<Delivery> {
  if (!isMailed(alarm, settings)) return { kind: 'taken' };
  const { host, port, connectTimeout } = settings;
  const socket = connect({ host, port, lookup: ports.names.lookup });
  // Whoever waits for the socket is told; later ones are of no interest.
  socket.on('error', () => undefined);
  try {
    await within(connectTimeout, ports.timers, 'no connection', connected(socket));
    await within(conversation, ports.timers, 'no answer', send(settings, alarm, socket));
    return { kind: 'taken' };
  } catch (error) {
    return { kind: 'refused', reason: printable(errorText(error).slice(0, longestReason)) };
  } finally {
    socket.destroy();
  }
}

async function send(settings: MailSettings, alarm: RoleAlarm, socket: Socket): Promise<void> {
  const { from, to, helo } = settings;
  const transport = createTransport({
    connection: socket,
    name: helo,
    secure: false,
    // keepalived speaks plain SMTP: a server whose certificate nobody knows goes on taking mails.
    ignoreTLS: true,
    maxResponseSize: 65_536,
    socketTimeout: toMilliseconds(conversation),
  });
  await transport.sendMail({
    from,
    to: [...to],
    ...mailText(alarm, settings),
    // Whoever gets it twice sees that it is one.
    messageId: `<${alarm.id}@${messageHost(helo)}>`,
    date: new Date(alarm.at),
    headers: { 'X-Mailer': 'keepstate', 'X-Keepstate-Alert': alarm.id },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve());
    socket.once('error', reject);
  });
}

async function within<T>(
  limit: Microseconds,
  timers: Timers,
  text: string,
  work: Promise<T>,
): Promise<T> {
  // It goes on to its end when the socket is destroyed; nobody waits for it then.
  work.catch(() => undefined);
  return new Promise<T>((resolve, reject) => {
    const timer = timers.after(limit, () => {
      reject(new Error(`${text} within ${toMilliseconds(limit) / 1_000} s`));
    });
    work.then(resolve, reject).finally(() => timer.cancel());
  });
}

function messageHost(helo: string): string {
  return helo.replace(/[^\w.-]/g, '') || 'localhost';
}
