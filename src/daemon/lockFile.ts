/**
 * `LockFile`: keeps a conntrackd from starting beside us, and a second keepstate with the same configuration. Ours holds
 * our process id, so that one left by a crash is recognised and replaced; conntrackd's is empty.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeepstateError, systemErrorCode } from '../base/errors.js';

export class LockFile {
  readonly #path: string;

  /** Use `LockFile.take`. */
  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Creates the file exclusively. `isAlive` says whether a keepstate runs with that process id; without an id in the
   * file, `isForeignHeld` says whether a conntrackd runs. Throws KeepstateError: 'locked', 'not-a-lock-file'.
   */
  static take(
    path: string,
    isAlive: (pid: number) => boolean,
    isForeignHeld: () => boolean,
  ): LockFile {
    mkdirSync(dirname(path), { recursive: true });
    // A stale file is removed once; whoever wins the second exclusive creation has the lock.
    if (!create(path)) {
      const pid = readPid(path);
      const isHeld = pid === undefined ? isForeignHeld() : pid !== process.pid && isAlive(pid);
      if (isHeld) throw locked(path, pid);
      if (!isLockFile(path)) {
        throw new KeepstateError(
          'not-a-lock-file',
          `LockFile ${path} exists and is no lock file: give it another path, or remove what is there`,
        );
      }
      unlinkSync(path);
      if (!create(path)) throw locked(path, readPid(path));
    }
    return new LockFile(path);
  }

  release(): void {
    try {
      if (readPid(this.#path) === process.pid) unlinkSync(this.#path);
    } catch {
      // Gone already: released is what was wanted.
    }
  }
}

function locked(path: string, pid: number | undefined): KeepstateError {
  const holder = pid === undefined ? 'conntrackd' : `keepstate (process ${pid})`;
  return new KeepstateError(
    'locked',
    `lockfile ${path} is held by a running ${holder}: stop it first, or give this one another LockFile`,
  );
}

/** conntrackd's is empty, ours holds a number. */
function isLockFile(path: string): boolean {
  const found = lstatSync(path);
  return found.isFile() && found.size < 32 && /^\d*\s*$/.test(readFileSync(path, 'utf8'));
}

function create(path: string): boolean {
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    writeSync(descriptor, `${process.pid}\n`);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
