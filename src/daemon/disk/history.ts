/**
 * The last transitions, in memory and in a file of JSON lines that is bounded and outlives the
 * daemon. A file that cannot be written costs a log line, never a transition.
 */
import type { Logger } from '../../base/logger.js';
import { fileErrorText } from '../../base/regularFile.js';
import { readHistoryEntry } from '../../control/historyEntry.js';
import type { HistoryEntry, HistoryEvent } from '../../control/statusAnswer.js';
import { systemDisk, type Disk } from './disk.js';

export type HistoryListener = (event: HistoryEvent) => boolean;

export class History {
  readonly #path: string;
  readonly #limit: number;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #listeners = new Set<HistoryListener>();
  #entries: HistoryEntry[];
  #linesInFile: number;
  #isComplaining = false;

  /**
   * Reads the newest of what an earlier run has left. Lines that are not entries are skipped, and
   * how many is logged; a file that cannot be read is logged too.
   */
  constructor(path: string, limit: number, logger: Logger, disk: Disk = systemDisk) {
    this.#disk = disk;
    this.#path = path;
    this.#limit = Math.max(1, limit);
    this.#logger = logger;
    const { lines, isCut } = this.#readLines();
    const entries = lines.flatMap(parseEntry);
    const skipped = lines.length - entries.length;
    if (skipped > 0) {
      logger.log('warning', 'lines of the history are no transitions and are skipped', {
        path,
        lines: skipped,
      });
    }
    // A file that is longer than it may be is made anew with the next entry.
    this.#linesInFile = isCut ? 2 * this.#limit : lines.length;
    this.#entries = entries.slice(-this.#limit);
  }

  /** Oldest first. */
  entries(limit: number = this.#limit): readonly HistoryEntry[] {
    return limit <= 0 ? [] : this.#entries.slice(-limit);
  }

  /** Who is told keeps it first: the file never knows more than they do. */
  add(entry: HistoryEntry): void {
    this.#entries = [...this.#entries, entry].slice(-this.#limit);
    this.#tell({ ...entry, phase: 'changed' });
    this.#write(() => {
      if (this.#linesInFile >= 2 * this.#limit) {
        this.#rewrite();
        return;
      }
      this.#disk.append(this.#path, `${JSON.stringify(entry)}\n`);
      this.#linesInFile++;
    });
  }

  /**
   * Completes the last entry that `matches`: what a takeover committed is known later than the
   * transition.
   */
  amend(matches: (entry: HistoryEntry) => boolean, more: Partial<HistoryEntry>): void {
    const entry = this.#entries.filter(matches).at(-1);
    if (entry === undefined) return;
    const amended = { ...entry, ...more };
    this.#entries = this.#entries.map((one) => (one === entry ? amended : one));
    this.#tell({ ...amended, phase: 'completed' });
    this.#write(() => this.#rewrite());
  }

  /** `listener` returns false to end its subscription. */
  subscribe(listener: HistoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: HistoryEvent): void {
    for (const listener of [...this.#listeners]) {
      if (!listener(event)) this.#listeners.delete(listener);
    }
  }

  #readLines(): { readonly lines: readonly string[]; readonly isCut: boolean } {
    const limit = { bytes: longestFile(this.#limit), ofLonger: 'end' } as const;
    const file = this.#disk.read(this.#path, limit);
    if (file.kind === 'unreadable') {
      const fields = { path: this.#path, reason: file.reason };
      this.#logger.log('warning', 'the history of earlier runs cannot be read', fields);
    }
    if (file.kind !== 'text') return { lines: [], isCut: false };
    const lines = file.text.split('\n').slice(file.isCut ? 1 : 0);
    return { lines: lines.filter((line) => line !== ''), isCut: file.isCut };
  }

  #rewrite(): void {
    const text = this.#entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    this.#disk.replace(this.#path, text);
    this.#linesInFile = this.#entries.length;
  }

  #write(work: () => void): void {
    try {
      work();
      this.#isComplaining = false;
    } catch (error) {
      if (this.#isComplaining) return;
      this.#isComplaining = true;
      this.#logger.log('warning', 'the history cannot be written', {
        path: this.#path,
        reason: fileErrorText(error),
      });
    }
  }
}

/** Bytes that a file of `limit` entries may have: twice as many lines, and room for long causes. */
function longestFile(limit: number): number {
  return Math.min(Math.max(1_048_576, 2 * limit * 512), 256 * 1_048_576);
}

function parseEntry(line: string): HistoryEntry[] {
  try {
    const entry = readHistoryEntry(JSON.parse(line));
    return entry === undefined ? [] : [entry];
  } catch {
    // A line that a crash cut short.
    return [];
  }
}
