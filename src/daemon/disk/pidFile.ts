/**
 * `pid_file`: the process id for exporters and scripts that look for it under keepalived's name.
 * Nothing here ever reads it: who can name a file can write any number into it.
 */
import { lstatSync, rmSync } from 'node:fs';
import type { Logger } from '../../base/logger.js';
import { fileErrorText, replaceFile } from '../../base/regularFile.js';

export class PidFile {
  readonly #path: string;
  /** Of the file that was written: another's is left alone. */
  readonly #inode: number;

  private constructor(path: string, inode: number) {
    this.#path = path;
    this.#inode = inode;
  }

  /** A file that cannot be written is logged, and keeps no node from starting. */
  static write(path: string | undefined, logger: Logger): PidFile | undefined {
    if (path === undefined) return undefined;
    try {
      replaceFile(path, `${process.pid}\n`, { mode: 0o644 });
      return new PidFile(path, lstatSync(path).ino);
    } catch (error) {
      const reason = fileErrorText(error);
      logger.log('warning', 'the pid file cannot be written', { path, reason });
      return undefined;
    }
  }

  remove(): void {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (found?.ino === this.#inode) rmSync(this.#path, { force: true });
  }
}
