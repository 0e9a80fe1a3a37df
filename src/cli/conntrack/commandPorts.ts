/** What the command needs of the process it runs in. `processPorts` has the real ones. */
import { readFileSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../../base/errors.js';
import { systemClock } from '../../base/systemClock.js';

export interface CommandPorts {
  /** Standard output. False when nobody reads it any more. */
  readonly write: (bytes: Uint8Array) => boolean;
  /** Standard error, one line without its newline. */
  readonly tell: (line: string) => void;
  /** Microseconds since 1970. */
  readonly now: () => number;
  /** A file, or standard input for `-`. Throws what node:fs throws. */
  readonly read: (path: string) => string;
  /** Calls back when the user wants an endless command to end; returns what takes that back. */
  readonly onInterrupt: (stop: () => void) => () => void;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const standardOutput = 1;
const standardError = 2;

/** Writes are finished when they return, so a listing takes no memory that grows with it. */
export const processPorts: CommandPorts = {
  write: (bytes) => writeAll(standardOutput, bytes),
  tell: (line) => void writeAll(standardError, Buffer.from(`${line}\n`)),
  now: () => systemClock.wallClock(),
  read: (path) => readFileSync(path === '-' ? 0 : path, 'utf8'),
  onInterrupt: (stop) => {
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    return () => {
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    };
  },
};

function writeAll(descriptor: number, bytes: Uint8Array): boolean {
  for (let from = 0; from < bytes.length;) {
    try {
      from += writeSync(descriptor, bytes, from, bytes.length - from);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== 'EAGAIN') {
        if (code === 'EPIPE') return false;
        throw error;
      }
      // A pipe that somebody else made non-blocking.
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
  return true;
}
