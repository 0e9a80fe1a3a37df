/**
 * winston behind the Logger port. One line per event: stderr for a terminal or the journal, a file or syslog as the
 * configuration says. Colour only on a terminal.
 */
import type { Writable } from 'node:stream';
import { createLogger, format, transports, type Logger as Winston, type transport } from 'winston';
import type { LogFields, Logger, LogLevel } from '../base/logger.js';

export interface LogOptions {
  readonly level: LogLevel;
  readonly file?: string;
  /** Object-mode stream of `LogRecord`s: syslog. */
  readonly records?: Writable;
}

/** What arrives at `records`. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** RFC 5424 severities as far as they are used. */
export const severities: Readonly<Record<LogLevel, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

export interface ProcessLog extends Logger {
  /** The level of all outputs. */
  setLevel(level: LogLevel): void;
  /** Flushes the file. */
  close(): Promise<void>;
}

export function openLog(options: LogOptions): ProcessLog {
  const winston: Winston = createLogger({
    levels: Object.fromEntries(Object.entries(severities)),
    level: options.level,
    format: format.combine(
      format.timestamp(),
      format.printf(({ timestamp, level, message, fields }) =>
        // winston passes on what `log` below gives it.
        formatLine(String(timestamp), level as LogLevel, String(message), fields as LogFields),
      ),
    ),
    transports: outputs(options),
    exitOnError: false,
  });
  // A full disk must not end the daemon; stderr still has the line.
  winston.on('error', () => undefined);
  return {
    log: (level, message, fields = {}) => {
      winston.log({ level, message, fields });
    },
    setLevel: (level) => {
      winston.level = level;
    },
    close: () =>
      new Promise((resolve) => {
        winston.once('finish', () => resolve());
        winston.end();
      }),
  };
}

function outputs({ file, records }: LogOptions): transport[] {
  const all: unknown[] = [
    new transports.Console({ stderrLevels: Object.keys(severities) }),
    ...(file === undefined ? [] : [new transports.File({ filename: file })]),
    ...(records === undefined ? [] : [new transports.Stream({ stream: records })]),
  ];
  // winston declares its own transports as interfaces beside the class that they extend.
  return all as transport[];
}

/** `2026-11-21T06:00:00.000Z notice: Entering MASTER STATE instance=VI_1 because="priority 0 received"` */
export function formatLine(
  timestamp: string,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  return `${timestamp} ${level}: ${formatMessage(message, fields)}`;
}

/** Message and fields in one line; a field that needs it is quoted. */
export function formatMessage(message: string, fields: LogFields): string {
  const parts = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${quote(String(value))}`],
  );
  return [oneLine(message), ...parts].join(' ');
}

function quote(text: string): string {
  return /^[^\s"=\\]+$/.test(text) ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
