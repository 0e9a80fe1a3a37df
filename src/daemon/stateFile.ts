/**
 * What must survive a crash: the role with the monotonic time of the last advertisement (valid within one boot),
 * and maintenance (valid for ever). Written atomically; a file that cannot be read means «nothing known».
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '../base/logger.js';
import { microseconds, subtractTime, type Microseconds } from '../base/time.js';

/** `units` are those that were MASTER, with the monotonic time of their last advertisement. */
export interface SavedState {
  /** Of the boot in which it was written; empty where that was not known. */
  readonly bootId: string;
  readonly maintenance: boolean;
  readonly units: Readonly<Record<string, Microseconds>>;
}

export const nothingSaved: SavedState = { bootId: '', maintenance: false, units: {} };

export class StateFile {
  readonly #path: string;
  readonly #logger: Logger;
  #isComplaining = false;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  read(): SavedState {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      return parseState(value);
    } catch {
      // None yet, or cut short by a crash: start as though it were the first time.
      return nothingSaved;
    }
  }

  write(state: SavedState): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const fresh = `${this.#path}.new`;
      writeFileSync(fresh, JSON.stringify(state), { mode: 0o600 });
      renameSync(fresh, this.#path);
      this.#isComplaining = false;
    } catch (error) {
      if (this.#isComplaining) return;
      this.#isComplaining = true;
      this.#logger.log('warning', 'the state cannot be saved: a crash will not be resumed', {
        path: this.#path,
        because: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

/**
 * Units that were MASTER in this boot, with a last advertisement that is younger than `patienceOf(unit)`. None in a boot
 * that has no name.
 */
export function mastersWithin(
  saved: SavedState,
  bootId: string | undefined,
  now: Microseconds,
  patienceOf: (unit: string) => Microseconds | undefined,
): ReadonlySet<string> {
  if (bootId === undefined || saved.bootId !== bootId) return new Set();
  const names = Object.entries(saved.units).flatMap(([unit, lastAdvert]) => {
    const patience = patienceOf(unit);
    const age = subtractTime(now, lastAdvert);
    return patience !== undefined && age >= 0 && age < patience ? [unit] : [];
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

function parseState(value: unknown): SavedState {
  if (typeof value !== 'object' || value === null) return nothingSaved;
  const bootId = 'bootId' in value && typeof value.bootId === 'string' ? value.bootId : '';
  const maintenance = 'maintenance' in value && value.maintenance === true;
  const units =
    'units' in value && typeof value.units === 'object' && value.units !== null
      ? Object.entries(value.units).flatMap(([name, at]): [string, Microseconds][] =>
          typeof at === 'number' ? [[name, microseconds(at)]] : [],
        )
      : [];
  return { bootId, maintenance, units: Object.fromEntries(units) };
}
