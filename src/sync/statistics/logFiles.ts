/**
 * The files of the log of connections that ended. No call waits in the thread of the events: a disk
 * that hangs keeps a thread of Node.js's pool, and nobody else.
 */
import { close, constants, fstat, stat, write, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { openLater } from '../../base/regularFile.js';

/** Rejects with Node.js's system errors. */
export interface LogFiles {
  /**
   * To append; made with mode 0600 where there is none. A pipe opens without a reader, and keeps
   * what is written until one comes.
   */
  open(path: string): Promise<number>;
  /** Bytes written: a pipe may take a part. EAGAIN: its reader is slow. */
  write(descriptor: number, bytes: Uint8Array, from: number, length: number): Promise<number>;
  /** Which file an open descriptor is, as text. */
  identity(descriptor: number): Promise<string>;
  /** Which file stands under the name; undefined where none does. */
  identityOf(path: string): Promise<string | undefined>;
  close(descriptor: number): void;
}

const look = promisify<string, Stats>(stat);
const lookAt = promisify<number, Stats>(fstat);
const writeBytes = promisify(write);

export const nodeLogFiles: LogFiles = {
  open: (path) => {
    const { O_RDWR, O_APPEND, O_CREAT } = constants;
    return openLater(path, O_RDWR | O_APPEND | O_CREAT, 0o600);
  },
  write: async (descriptor, bytes, from, length) => {
    const { bytesWritten } = await writeBytes(descriptor, bytes, from, length);
    return bytesWritten;
  },
  identity: async (descriptor) => textOf(await lookAt(descriptor)),
  identityOf: async (path) => {
    const found = await look(path).catch(() => undefined);
    return found === undefined ? undefined : textOf(found);
  },
  close: (descriptor) => {
    close(descriptor, () => undefined);
  },
};

function textOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
