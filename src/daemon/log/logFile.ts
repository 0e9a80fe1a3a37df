/**
 * The log file, as a stream that never fails: what cannot be written is lost here and nowhere else.
 * It is opened with the first line and again with the next one after a failure, so that a disk that
 * was full is used once it has room.
 */
import { closeSync, constants, mkdirSync, writeFile } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { fileErrorText, openWithoutWaiting } from '../../base/regularFile.js';

/** Said once until the file can be written again. */
export type OnTrouble = (path: string, reason: string) => void;

export class LogFile extends Writable {
  readonly #path: string;
  readonly #onTrouble: OnTrouble;
  #descriptor: number | undefined;
  #isInTrouble = false;
  #isMoved = false;

  constructor(path: string, onTrouble: OnTrouble) {
    super({ decodeStrings: true });
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  /** The next line opens the file anew: the one that is open was renamed (logrotate). */
  reopen(): void {
    this.#isMoved = true;
  }

  override _write(line: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#isMoved) this.#close();
    try {
      this.#descriptor ??= this.#open();
    } catch (error) {
      this.#failed(error);
      done();
      return;
    }
    writeFile(this.#descriptor, line, (error) => {
      if (error === null) this.#isInTrouble = false;
      else this.#failed(error);
      done();
    });
  }

  override _final(done: () => void): void {
    this.#close();
    done();
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    // A pipe without a reader must not hold up the thread that sends adverts.
    const { O_WRONLY, O_APPEND, O_CREAT } = constants;
    return openWithoutWaiting(this.#path, O_WRONLY | O_APPEND | O_CREAT, 0o666);
  }

  #close(): void {
    this.#isMoved = false;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #failed(error: unknown): void {
    this.#isMoved = true;
    if (this.#isInTrouble) return;
    this.#isInTrouble = true;
    this.#onTrouble(this.#path, fileErrorText(error));
  }
}
