/**
 * winston behind the Logger port. One line per event: stderr for a terminal or the journal, a file
 * or syslog as the configuration says. No output can hold up or silence another.
 */
import { Writable } from 'node:stream';
import { createLogger, format, transports, type Logger as Winston, type transport } from 'winston';
import type { LogFields, Logger, LogLevel } from '../../base/logger.js';
import { printable, printableJson } from '../../base/printable.js';
import { milliseconds, type Timers } from '../../base/time.js';
import type { StderrForm } from './journal.js';
import { LogFile } from './logFile.js';

export interface LogOptions {
  readonly level: LogLevel;
  readonly timers: Timers;
  /** `log_format`: of lines on stderr and in the file; default `text`. */
  readonly format?: LogFormat;
  /** How lines stand on stderr; default `text`. */
  readonly stderr?: StderrForm;
  readonly file?: string;
  /** Object-mode stream of `LogRecord`s: syslog. */
  readonly records?: Writable;
}

export type LogFormat = 'text' | 'json';

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
  /** The file was renamed: it is opened anew. */
  reopen(): void;
  /** Flushes the file; waits for a disk that hangs no longer than a moment. */
  close(): Promise<void>;
}

const closeTimeout = milliseconds(2_000);

export function openLog(options: LogOptions): ProcessLog {
  const { level, timers, file: path, records, format: lineFormat = 'text' } = options;
  const file =
    path === undefined
      ? undefined
      : new LogFile(path, (name, reason) => {
          winston.log('error', 'the log file cannot be written', {
            fields: { path: name, reason },
          });
        });
  const winston: Winston = createLogger({
    levels: Object.fromEntries(Object.entries(severities)),
    level,
    format: format.combine(
      format.timestamp(),
      format.printf(({ timestamp, level: lineLevel, message, fields }) =>
        // winston passes on what `log` below gives it.
        lineOf[lineFormat](
          String(timestamp),
          lineLevel as LogLevel,
          String(message),
          fields as LogFields,
        ),
      ),
    ),
    transports: transportsTo([stderrStream(options.stderr ?? 'text', lineFormat), file, records]),
    exitOnError: false,
  });
  winston.on('error', () => undefined);
  return {
    log: (lineLevel, message, fields = {}) => {
      winston.log({ level: lineLevel, message, fields });
    },
    setLevel: (wanted) => {
      winston.level = wanted;
    },
    reopen: () => file?.reopen(),
    close: () =>
      new Promise((resolve) => {
        const timeout = timers.after(closeTimeout, () => resolve());
        const done = (): void => {
          timeout.cancel();
          resolve();
        };
        winston.once('finish', () => {
          if (file === undefined) done();
          else file.end(done);
        });
        winston.end();
      }),
  };
}

/**
 * process.stderr, whose reader may be gone or whose disk may be full: then the line is lost
 * (cli/main.ts hears its errors). The journal has a time of its own for each line.
 */
function stderrStream(form: StderrForm, lineFormat: LogFormat): Writable | undefined {
  if (form === 'none') return undefined;
  return new Writable({
    objectMode: true,
    write: (record: PrintedRecord, _encoding, done) => {
      const { level, message, fields } = record;
      const line =
        form === 'priority'
          ? `<${severities[level]}>${lineOf[lineFormat](undefined, level, message, fields)}`
          : record[printedLine];
      try {
        process.stderr.write(`${line}\n`);
      } catch {
        // A file that is written synchronously throws.
      }
      done();
    },
  });
}

/** Where winston puts what its format has printed. */
const printedLine = Symbol.for('message');

interface PrintedRecord extends LogRecord {
  readonly [printedLine]: string;
}

function transportsTo(streams: readonly (Writable | undefined)[]): transport[] {
  const all: unknown[] = streams
    .filter((stream) => stream !== undefined)
    .map((stream) => new transports.Stream({ stream }));
  // winston declares its own transports as interfaces beside the class that they extend.
  return all as transport[];
}

/**
 * `2026-11-21T06:00:00.000Z notice: Entering MASTER STATE instance=VI_1 reason="priority 0
 * received"`
 */
export function formatLine(
  timestamp: string | undefined,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const time = timestamp === undefined ? '' : `${timestamp} `;
  return `${time}${level}: ${formatMessage(message, fields)}`;
}

/**
 * `{"time":"2026-11-21T06:00:00.000Z","level":"notice","message":"Entering MASTER STATE",
 * "fields":{"instance":"VI_1"}}`: fields have names of their own, so they stand in an object.
 */
export function formatJsonLine(
  time: string | undefined,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const head = time === undefined ? {} : { time };
  return printableJson({ ...head, level, message, fields });
}

const lineOf = { text: formatLine, json: formatJsonLine } as const;

/** Message and fields in one line; a field that needs it is quoted. */
export function formatMessage(message: string, fields: LogFields): string {
  const parts = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${quote(String(value))}`],
  );
  return [oneLine(message), ...parts].join(' ');
}

function quote(text: string): string {
  return /^[^\s"=\\\p{C}]+$/u.test(text) ? text : printableJson(text);
}

function oneLine(text: string): string {
  return printable(text.replace(/[\r\n]+/g, ' '));
}
