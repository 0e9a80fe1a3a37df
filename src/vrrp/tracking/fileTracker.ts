/**
 * Reads one `track_file` whenever it may have changed. The directory is watched, not the file:
 * editors and scripts replace files. Where the directory does not exist yet it is looked for once a
 * second.
 */
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../base/logger.js';
import { fileErrorText, overwriteFile, readRegularFile } from '../../base/regularFile.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { TrackFileSettings } from '../settings.js';

/** Truncate and write arrive as two events: wait until the writer is done. */
const settleTime = milliseconds(20);
const emptyFileGrace = milliseconds(100);
const rearmPeriod = seconds(1);

/** Files as a port. `read` gives undefined when there is no such file. */
export interface WatchedFiles {
  read(path: string): string | undefined;
  /** Gives why the file cannot be written. */
  write(path: string, text: string): string | undefined;
  /** `onEnd`: the watch is over or could not start; the caller tries again later. */
  watchDirectory(path: string, onChange: (name: string) => void, onEnd: () => void): () => void;
}

/** The first integer in the text; nothing, or a missing file, is 0 (keepalived 2.2.7). */
export function firstInteger(text: string | undefined): number {
  const found = /^\s*([+-]?\d+)/.exec(text ?? '');
  return found === null ? 0 : Number(found[1]);
}

interface FilePorts {
  readonly files: WatchedFiles;
  readonly timers: Timers;
  readonly logger: Logger;
}

export class FileTracker {
  readonly #ports: FilePorts;
  readonly #settings: TrackFileSettings;
  readonly #onValue: (value: number) => void;
  #value: number | undefined;
  #stopWatching: () => void = () => undefined;
  #reading: ArmedTimer | undefined;
  #rearming: ArmedTimer | undefined;
  #isClosed = false;

  constructor(ports: FilePorts, settings: TrackFileSettings, onValue: (value: number) => void) {
    this.#ports = ports;
    this.#settings = settings;
    this.#onValue = onValue;
  }

  get value(): number {
    return this.#value ?? 0;
  }

  /**
   * Reports the value at once. `init_file` writes the file where it is missing, or always; if it
   * cannot, that is logged.
   */
  start(): void {
    const { files, logger } = this.#ports;
    const { init, path } = this.#settings;
    if (init !== undefined && (init.overwrite || files.read(path) === undefined)) {
      const reason = files.write(path, `${init.value}\n`);
      if (reason !== undefined) {
        logger.log('error', 'init_file: the tracked file cannot be written', { path, reason });
      }
    }
    this.#arm();
    this.#read(false);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWatching();
    this.#reading?.cancel();
    this.#rearming?.cancel();
  }

  #arm(): void {
    if (this.#isClosed) return;
    const name = basename(this.#settings.path);
    let ended = false;
    this.#stopWatching = this.#ports.files.watchDirectory(
      dirname(this.#settings.path),
      (changed) => {
        if (changed === name) this.#readAfter(settleTime, true);
      },
      () => {
        if (ended || this.#isClosed) return;
        ended = true;
        // A directory that went away took the file with it; one that came back may have brought it.
        this.#readAfter(settleTime, true);
        this.#rearming = this.#ports.timers.after(rearmPeriod, () => this.#arm());
      },
    );
  }

  #readAfter(delay: typeof settleTime, mayWait: boolean): void {
    this.#reading?.cancel();
    this.#reading = this.#ports.timers.after(delay, () => this.#read(mayWait));
  }

  #read(mayWait: boolean): void {
    if (this.#isClosed) return;
    const text = this.#ports.files.read(this.#settings.path);
    if (mayWait && text?.trim() === '') {
      this.#readAfter(emptyFileGrace, false);
      return;
    }
    const value = firstInteger(text);
    if (value === this.#value) return;
    this.#value = value;
    this.#onValue(value);
  }
}

/** The first integer of a tracked file stands within them. */
const firstBytes = 4_096;

/** The file system itself. */
export const nodeFiles: WatchedFiles = {
  // Missing, unreadable and no regular file all count as 0, as keepalived has it for the first two.
  read: (path) => {
    const file = readRegularFile(path, { bytes: firstBytes, ofLonger: 'start' });
    return file.kind === 'text' ? file.text : undefined;
  },
  write: (path, text) => {
    try {
      overwriteFile(path, text);
      return undefined;
    } catch (error) {
      return fileErrorText(error);
    }
  },
  watchDirectory: (path, onChange, onEnd) => {
    let watcher: FSWatcher;
    try {
      watcher = watch(path, { persistent: false }, (_kind, name) => {
        if (name === null) return;
        onChange(name);
        // The directory itself was moved or deleted: inotify says so under its own name.
        if (name === basename(path)) end();
      });
    } catch {
      onEnd();
      return () => undefined;
    }
    const end = (): void => {
      watcher.close();
      onEnd();
    };
    watcher.on('error', end);
    return () => watcher.close();
  },
};
