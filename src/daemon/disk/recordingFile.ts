/**
 * `run --record FILE`: each event of VRRP, of the coordinator and of the sync worker's role as a
 * line that `npm run replay -- FILE` lives again. Lines are appended, so that a crash and the
 * restart after it stand in one file; each start begins new lives. The file holds the
 * authentication password and what arrived from the network, and is readable by its owner alone.
 */
import { constants, createWriteStream, type WriteStream } from 'node:fs';
import { KeepstateError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { openWithoutWaiting } from '../../base/regularFile.js';
import { toJsonLine } from '../../vrrp/machine/recording.js';

/** Bytes that may wait for the disk. A recording with a gap is worth nothing, so it ends there. */
const mostWaiting = 16 * 1024 * 1024;

export class RecordingFile {
  readonly #path: string;
  readonly #logger: Logger;
  #stream: WriteStream | undefined;

  /** Throws KeepstateError (`recording`) where the file cannot be opened for appending. */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#stream = createWriteStream(path, { fd: opened(path) });
    this.#stream.on('error', (cause) => this.#end(cause.message));
  }

  write(line: object): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    stream.write(`${toJsonLine(line)}\n`);
    if (stream.writableLength > mostWaiting) this.#end('the disk is too slow');
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    await new Promise<void>((resolve) => {
      stream.once('close', () => resolve());
      stream.end();
    });
  }

  #end(reason: string): void {
    if (this.#stream === undefined) return;
    this.#stream.destroy();
    this.#stream = undefined;
    this.#logger.log('error', 'the recording ended', { file: this.#path, reason });
  }
}

function opened(path: string): number {
  try {
    const { O_WRONLY, O_APPEND, O_CREAT } = constants;
    return openWithoutWaiting(path, O_WRONLY | O_APPEND | O_CREAT, 0o600);
  } catch (cause) {
    throw new KeepstateError('recording', `cannot write the recording ${path}`, { path }, cause);
  }
}
