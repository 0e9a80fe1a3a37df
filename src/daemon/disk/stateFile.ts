/**
 * What must survive a crash: the role with the monotonic time of the last advertisement (valid
 * within one boot), and maintenance (valid for ever). Written atomically; a file that cannot be
 * read means «nothing known», and is logged.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '../../base/logger.js';
import {
  fileErrorText,
  readRegularFile,
  replaceFile,
  replaceFileLater,
} from '../../base/regularFile.js';
import { microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { parseProblems } from './savedProblems.js';

/** `units` are those that were MASTER, with the monotonic time of their last advertisement. */
export interface SavedState {
  /** Of the boot in which it was written; empty where that was not known. */
  readonly bootId: string;
  readonly maintenance: boolean;
  readonly units: Readonly<Record<string, Microseconds>>;
  /** What became of each problem; absent where there was none, and in a file of 0.1.0. */
  readonly problems?: readonly ProblemRecord[];
  /** The peer was heard as a keepstate. */
  readonly peerWasKeepstate?: boolean;
  /**
   * Those that were MASTER before, and whose kernel may still hold flows of that time. A keepstate
   * 0.1.0 ignores it.
   */
  readonly left?: Readonly<Record<string, Microseconds>>;
}

/** Thousands of units have room in it. */
const longest = 4 * 1_048_576;

export const nothingSaved: SavedState = { bootId: '', maintenance: false, units: {} };

export interface StateFileOptions {
  /** What is lost when it cannot be written; for the log. */
  readonly loss: string;
  /** It is on the disk when `write` returns, and a loss of power does not undo it. */
  readonly durable: boolean;
}

export class StateFile {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #options: StateFileOptions;
  #isComplaining = false;
  #isReadComplained = false;
  /** Of the last `write` or `writeLater`. */
  #generation = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, logger: Logger, options: StateFileOptions) {
    this.#path = path;
    this.#logger = logger;
    this.#options = options;
  }

  /**
   * What was saved last; nothing where there is no file. One that cannot be read or understood is
   * logged.
   */
  read(): SavedState {
    const file = readRegularFile(this.#path, { bytes: longest });
    if (file.kind === 'missing') return nothingSaved;
    if (file.kind === 'unreadable') return this.#unread(file.reason);
    try {
      return parseState(JSON.parse(file.text));
    } catch {
      return this.#unread('not a JSON object');
    }
  }

  /** Gives why it could not be written; logged once until it can be again. */
  write(state: SavedState): string | undefined {
    this.#generation++;
    try {
      this.#replace(JSON.stringify(state));
      this.#isComplaining = false;
      return undefined;
    } catch (error) {
      return this.#complain(error);
    }
  }

  /** As `write`, without waiting for the disk; a state that is written meanwhile stays. */
  writeLater(state: SavedState): void {
    const generation = ++this.#generation;
    const isStale = (): boolean => generation !== this.#generation;
    this.#writing = this.#writing
      .then(async () => {
        if (isStale()) return;
        mkdirSync(dirname(this.#path), { recursive: true });
        await replaceFileLater(this.#path, JSON.stringify(state), isStale);
        this.#isComplaining = false;
      })
      .catch((error: unknown) => {
        this.#complain(error);
      });
  }

  /** When nothing is on its way any more. */
  written(): Promise<void> {
    return this.#writing;
  }

  #complain(error: unknown): string {
    const reason = fileErrorText(error);
    if (!this.#isComplaining) {
      const message = `the state cannot be saved: ${this.#options.loss}`;
      this.#logger.log('warning', message, { path: this.#path, reason });
    }
    this.#isComplaining = true;
    return reason;
  }

  #replace(text: string): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    replaceFile(this.#path, text, { durable: this.#options.durable });
  }

  #unread(reason: string): SavedState {
    if (!this.#isReadComplained) {
      const message = 'a state file cannot be read and counts as absent';
      this.#logger.log('warning', message, { path: this.#path, reason });
    }
    this.#isReadComplained = true;
    return nothingSaved;
  }
}

/**
 * Units that were MASTER in this boot, with a last advertisement that is younger than
 * `timeoutOf(unit)`. None in a boot that has no name.
 */
export function mastersWithin(
  saved: SavedState,
  bootId: string | undefined,
  now: Microseconds,
  timeoutOf: (unit: string) => Microseconds | undefined,
): ReadonlySet<string> {
  if (bootId === undefined || saved.bootId !== bootId) return new Set();
  const names = Object.entries(saved.units).flatMap(([unit, lastAdvert]) => {
    const timeout = timeoutOf(unit);
    // Later than now: another clock wrote it, and nothing is known of that advertisement's age.
    if (timeout === undefined || lastAdvert > now) return [];
    return subtractTime(now, lastAdvert) < timeout ? [unit] : [];
  });
  return new Set(names);
}

/** undefined where the kernel does not tell it: no file is then known to be of this boot. */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * Throws TypeError where it is no object. Parts that are missing or of another type are as though
 * never saved.
 */
function parseState(value: unknown): SavedState {
  if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
  const bootId = 'bootId' in value && typeof value.bootId === 'string' ? value.bootId : '';
  const maintenance = 'maintenance' in value && value.maintenance === true;
  const units = 'units' in value ? timesIn(value.units) : {};
  const left = 'left' in value ? { left: timesIn(value.left) } : {};
  const problems = 'problems' in value ? parseProblems(value.problems) : [];
  return {
    ...{ bootId, maintenance, units, ...left },
    ...(problems.length === 0 ? {} : { problems }),
    ...('peerWasKeepstate' in value && value.peerWasKeepstate === true
      ? { peerWasKeepstate: true }
      : {}),
  };
}

function timesIn(value: unknown): Readonly<Record<string, Microseconds>> {
  if (typeof value !== 'object' || value === null) return {};
  const times = Object.entries(value).flatMap(([name, at]): [string, Microseconds][] =>
    typeof at === 'number' ? [[name, microseconds(at)]] : [],
  );
  return Object.fromEntries(times);
}
