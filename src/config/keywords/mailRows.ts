/** keepalived's mails about role changes. */
import { keepalived, withoutEffect, type ValueType } from '../table/row.js';
import { anything, bare, flag, integer, reportBadValue, word } from '../table/scalarTypes.js';
import { list, nameItems } from '../table/wordTypes.js';
import { quoteWord } from '../table/printRows.js';

export interface MailServer {
  readonly host: string;
  readonly port: number;
}

const smtpPort = 25;

/** `HOST [port]`. */
const server: ValueType<MailServer> = {
  name: 'address or name [port]',
  minWords: 1,
  maxWords: 2,
  parse: ({ keyword, words: [host, given] }, context) => {
    if (host === undefined) return undefined;
    const number = given === undefined ? smtpPort : Number(given.text);
    if (/^[\w.:-]{1,255}$/.test(host.text) && number >= 1 && number <= 65_535) {
      return { host: host.text, port: number };
    }
    const wrong = /^[\w.:-]{1,255}$/.test(host.text) ? (given ?? host) : host;
    reportBadValue(keyword, wrong, 'an address or a name, and a port 1..65535', context);
    return undefined;
  },
  print: ({ host, port }) => ({ words: [quoteWord(host), String(port)] }),
};

export const mailRows = {
  notification_email: keepalived(list(nameItems), 'to whom mails go', { repeats: true }),
  notification_email_from: keepalived(word, 'the sender of mails', {
    default: 'keepalived@ and the host name',
  }),
  smtp_server: keepalived(server, 'takes the mails, by plain SMTP', { default: 'no mail is sent' }),
  smtp_helo_name: keepalived(word, 'the name that SMTP greets with', {
    default: 'the host name',
  }),
  smtp_connect_timeout: keepalived(integer(1, 3_600), 'how long smtp_server may take to answer', {
    unit: 'seconds',
    default: '30',
  }),
  smtp_alert: keepalived(flag, 'mail state changes of all instances and groups', {
    default: 'off',
  }),
  smtp_alert_vrrp: keepalived(flag, 'the same, before smtp_alert', { default: 'smtp_alert' }),
  no_email_faults: keepalived(bare, 'send no mail about FAULT', { default: 'off' }),
  smtp_alert_checker: withoutEffect(
    keepalived(anything, 'mail about load balancing'),
    'keepstate runs no health checks of servers',
  ),
  no_checker_emails: withoutEffect(
    keepalived(anything, 'mail about load balancing'),
    'keepstate runs no health checks of servers',
  ),
} as const;

/** Of an instance or a group. */
export const smtpAlert = keepalived(flag, 'mail state changes through smtp_server', {
  default: 'smtp_alert_vrrp, or smtp_alert, of global_defs',
});
