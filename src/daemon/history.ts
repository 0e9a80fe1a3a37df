/**
 * The last transitions, in memory and in a file of JSON lines that is bounded and outlives the daemon. A file
 * that cannot be written costs a log line, never a transition.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '../base/logger.js';
import type { HistoryEntry } from '../control/status.js';

export type HistoryListener = (entry: HistoryEntry) => boolean;

export class History {
  readonly #path: string;
  readonly #limit: number;
  readonly #logger: Logger;
  readonly #listeners = new Set<HistoryListener>();
  #entries: HistoryEntry[];
  #linesInFile: number;
  #isComplaining = false;

  /** Reads what an earlier run has left; lines that are not entries are skipped. */
  constructor(path: string, limit: number, logger: Logger) {
    this.#path = path;
    this.#limit = Math.max(1, limit);
    this.#logger = logger;
    const lines = readLines(path);
    this.#linesInFile = lines.length;
    this.#entries = lines.flatMap(parseEntry).slice(-this.#limit);
  }

  /** Oldest first. */
  entries(limit: number = this.#limit): readonly HistoryEntry[] {
    return limit <= 0 ? [] : this.#entries.slice(-limit);
  }

  add(entry: HistoryEntry): void {
    this.#entries = [...this.#entries, entry].slice(-this.#limit);
    this.#write(() => {
      if (this.#linesInFile >= 2 * this.#limit) {
        this.#rewrite();
        return;
      }
      appendFileSync(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
      this.#linesInFile++;
    });
    this.#tell(entry);
  }

  /** Completes the last entry that `matches`: what a takeover committed is known later than the transition. */
  amend(matches: (entry: HistoryEntry) => boolean, more: Partial<HistoryEntry>): void {
    const entry = this.#entries.filter(matches).at(-1);
    if (entry === undefined) return;
    const amended = { ...entry, ...more };
    this.#entries = this.#entries.map((one) => (one === entry ? amended : one));
    this.#write(() => this.#rewrite());
    this.#tell(amended);
  }

  /** `listener` returns false to end its subscription. */
  subscribe(listener: HistoryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(entry: HistoryEntry): void {
    for (const listener of [...this.#listeners]) {
      if (!listener(entry)) this.#listeners.delete(listener);
    }
  }

  #rewrite(): void {
    const text = this.#entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, this.#path);
    this.#linesInFile = this.#entries.length;
  }

  #write(work: () => void): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      work();
      this.#isComplaining = false;
    } catch (error) {
      if (this.#isComplaining) return;
      this.#isComplaining = true;
      this.#logger.log('warning', 'the history cannot be written', {
        path: this.#path,
        because: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    // None yet, or unreadable: the first write will say so.
    return [];
  }
}

function parseEntry(line: string): HistoryEntry[] {
  try {
    const value: unknown = JSON.parse(line);
    const isEntry =
      typeof value === 'object' &&
      value !== null &&
      'at' in value &&
      'to' in value &&
      'name' in value;
    // Our own file; its entries are only shown.
    return isEntry ? [value as HistoryEntry] : [];
  } catch {
    // A line that a crash cut short.
    return [];
  }
}
