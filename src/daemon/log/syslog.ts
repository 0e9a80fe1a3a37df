/**
 * Log records as RFC 3164 datagrams to /dev/log, `keepstate[PID]` in front, in the facility of
 * `Syslog`.
 */
import { Writable } from 'node:stream';
import { formatMessage, severities, type LogRecord } from './log.js';

/** Facility numbers as in syslog.h. */
export const facilities: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

/** `<PRI>keepstate[123]: message key=value`; an unknown facility is `daemon`. */
export function syslogDatagram(record: LogRecord, facility: string, pid: number): string {
  const priority = (facilities[facility] ?? 3) * 8 + severities[record.level];
  return `<${priority}>keepstate[${pid}]: ${formatMessage(record.message, record.fields)}`;
}

/**
 * Object-mode stream of log records; a syslog daemon that is away loses lines, as with syslog(3).
 */
export function syslogStream(facility: string, send: (datagram: Uint8Array) => void): Writable {
  return new Writable({
    objectMode: true,
    write: (record: LogRecord, _encoding, done) => {
      send(Buffer.from(syslogDatagram(record, facility, process.pid)));
      done();
    },
  });
}
