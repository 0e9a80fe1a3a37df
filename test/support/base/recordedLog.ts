/**
 * A logger that keeps what it is given: `level: message` per line, and the fields of the last one.
 */
import type { LogFields, Logger, LogLevel } from '../../../src/base/logger.js';

export class RecordedLog implements Logger {
  readonly lines: string[] = [];
  readonly fields: LogFields[] = [];

  log(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.lines.push(`${level}: ${message}`);
    this.fields.push(fields);
  }
}
