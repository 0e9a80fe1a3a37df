/**
 * `notify_fifo`: one line per event, in the exact order of events. The pipe is opened for reading
 * and writing, so that no reader is needed; it is removed at the end when it was made here.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fchownSync,
  lstatSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Logger } from '../../base/logger.js';
import { chooseAccount, readAccountFiles } from '../scripts/accounts.js';
import type { FifoSettings } from '../settings.js';

/** Where lines go. */
export interface LineSink {
  write(line: string): void;
  close(): void;
}

/**
 * Opens, and makes where needed, the named pipe. A path that cannot be used is logged and swallows
 * lines.
 */
export function openFifo({ path, owner }: FifoSettings, logger: Logger): LineSink {
  let isOurs = false;
  let descriptor: number;
  try {
    isOurs = makeFifo(path);
    descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    if (isOurs && owner !== undefined) give(descriptor, path, owner, logger);
  } catch (error) {
    logger.log('error', 'notify FIFO cannot be used', { path, reason: String(error) });
    return { write: () => undefined, close: () => undefined };
  }
  let isFull = false;
  return {
    write: (line) => {
      try {
        writeSync(descriptor, line);
        isFull = false;
      } catch (error) {
        // EAGAIN: nobody reads and the pipe is full. Never wait for a reader.
        if (!isFull) logger.log('warning', 'notify FIFO full', { path, reason: String(error) });
        isFull = true;
      }
    },
    close: () => {
      closeSync(descriptor);
      if (isOurs) removeFifo(path);
    },
  };
}

/** To the user who reads it; a user that does not exist leaves it root's. */
function give(
  descriptor: number,
  path: string,
  owner: NonNullable<FifoSettings['owner']>,
  logger: Logger,
): void {
  const account = chooseAccount(readAccountFiles(), { words: [], ...owner }, undefined);
  if ('refused' in account) {
    logger.log('warning', 'notify FIFO stays with root', { path, reason: account.refused });
  } else fchownSync(descriptor, account.uid, account.gid);
}

function removeFifo(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else removed it, or took away the right to.
  }
}

/** True when the pipe was made now. Anything else than a pipe under this name is refused. */
function makeFifo(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFIFO() === true) return false;
  if (found !== undefined) throw new Error(`${path} exists and is not a FIFO`);
  // Node.js has no mkfifo(3); coreutils does.
  execFileSync('mkfifo', ['-m', '600', '--', path], { stdio: 'ignore' });
  return true;
}
