/**
 * What must survive a crash: the role with the monotonic time of the last advertisement (valid
 * within one boot), and maintenance (valid for ever). Written atomically; a file that cannot be
 * read means «nothing known», and is logged.
 */
import type { Logger } from '../../base/logger.js';
import { fileErrorText } from '../../base/regularFile.js';
import { microseconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { systemDisk, type Disk } from './disk.js';
import type { SignedNumbers } from '../../vrrp/auth/advertAuthentication.js';
import { parseNumbers, saveNumbers, type SavedNumbers } from './savedNumbers.js';
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
  /** Fingerprints of the keys of sync_key when the peer showed one of them. */
  readonly sealedWith?: readonly string[];
  /**
   * Those that were MASTER before, and whose kernel may still hold flows of that time. A keepstate
   * 0.1.0 ignores it.
   */
  readonly left?: Readonly<Record<string, Microseconds>>;
  /** A later life in this boot is not to preempt; earlier releases ignore it. */
  readonly holds?: true;
  /** Numbers of auth_hmac; a keepstate 0.1.0 ignores them. */
  readonly numbers?: SavedNumbers;
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
  readonly #disk: Disk;
  #isComplaining = false;
  #isReadComplained = false;
  /** Of the last `write` or `writeLater`. */
  #generation = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, logger: Logger, options: StateFileOptions, disk: Disk = systemDisk) {
    this.#path = path;
    this.#logger = logger;
    this.#disk = disk;
    this.#options = options;
  }

  /**
   * What was saved last; nothing where there is no file. One that cannot be read or understood is
   * logged.
   */
  read(): SavedState {
    const file = this.#disk.read(this.#path, { bytes: longest });
    if (file.kind === 'missing') return nothingSaved;
    if (file.kind === 'unreadable') return this.#unread(file.reason);
    try {
      return parseState(JSON.parse(file.text));
    } catch {
      return this.#unread('not a JSON object');
    }
  }

  /** Numbers of auth_hmac, of whichever boot. */
  readNumbers(): SignedNumbers {
    return parseNumbers(this.read().numbers);
  }

  /** Gives why it could not be written; logged once until it can be again. */
  write(state: SavedState): string | undefined {
    this.#generation++;
    try {
      const { durable } = this.#options;
      this.#disk.replace(this.#path, JSON.stringify(state), { durable });
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
        await this.#disk.replaceLater(this.#path, JSON.stringify(state), isStale);
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
    ...flagIn(value, 'peerWasKeepstate'),
    ...flagIn(value, 'holds'),
    ...('sealedWith' in value ? { sealedWith: textsIn(value.sealedWith) } : {}),
    ...('numbers' in value ? { numbers: saveNumbers(parseNumbers(value.numbers)) } : {}),
  };
}

function flagIn<const Name extends string>(value: object, name: Name): Partial<Record<Name, true>> {
  const isSet = name in value && (value as Readonly<Record<string, unknown>>)[name] === true;
  // The one key is `name`.
  return (isSet ? { [name]: true } : {}) as Partial<Record<Name, true>>;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function timesIn(value: unknown): Readonly<Record<string, Microseconds>> {
  if (typeof value !== 'object' || value === null) return {};
  const times = Object.entries(value).flatMap(([name, at]): [string, Microseconds][] =>
    typeof at === 'number' ? [[name, microseconds(at)]] : [],
  );
  return Object.fromEntries(times);
}
