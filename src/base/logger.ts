/** The logging port: a constant message, data in fields. winston stands behind it in src/daemon. */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
export type LogLevel = 'error' | 'warning' | 'notice' | 'info' | 'debug';

export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
}

/** Drops everything. */
export const silentLogger: Logger = { log: () => undefined };
