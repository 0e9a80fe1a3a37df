/**
 * Log records as RFC 3164 datagrams to /dev/log, `keepstate[PID]` in front, in the facility of
 * `Syslog`.
 */
import { Writable } from 'node:stream';
import { facilities } from '../../base/syslogFacilities.js';
import { formatMessage, severities, type LogRecord } from './log.js';

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
