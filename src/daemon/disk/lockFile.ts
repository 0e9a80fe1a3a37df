/**
 * `LockFile`: keeps a conntrackd from starting beside us (it demands that the file is not there),
 * and a second keepstate with the same configuration (the file is locked, flock(2)). Ours holds our
 * process id, for a person; conntrackd's is empty. The folder is often one that anybody may write
 * to: what stands there is believed by its owner and its lock alone.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { KeepstateError, systemErrorCode } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { fileErrorText, readDescriptor } from '../../base/regularFile.js';
import { EAGAIN } from '../../base/errno.js';
import { isTrustedUser } from '../../base/trustedUser.js';
import { lockExclusively } from '../../net/socket/fileLock.js';

export interface LockPorts {
  /** Whether a keepstate of 0.1.0, which did not lock the file, runs with that process id. */
  readonly isAlive: (pid: number) => boolean;
  /** Whether a conntrackd runs: asked where the file is conntrackd's. */
  readonly isForeignHeld: () => boolean;
  readonly logger: Logger;
}

export class LockFile {
  readonly #path: string;
  #descriptor: number | undefined;

  /** Use `LockFile.take`. */
  private constructor(path: string, descriptor: number | undefined) {
    this.#path = path;
    this.#descriptor = descriptor;
  }

  /**
   * Never waits. What another user has put there is removed; where it cannot be, that is logged and
   * the start goes on without the file. Throws KeepstateError: 'locked', 'not-a-lock-file'; and
   * Node.js's system error.
   */
  static take(path: string, ports: LockPorts): LockFile {
    mkdirSync(dirname(path), { recursive: true });
    // Somebody may remove or put something between the steps: then once more from the start.
    for (let attempt = 0; attempt < 5; attempt++) {
      const opened = openOwn(path);
      if (opened === 'changed') continue;
      if (opened.kind === 'foreign') {
        if (removeForeign(path, opened.uid, ports.logger)) continue;
        return new LockFile(path, undefined);
      }
      try {
        if (hold(path, opened, ports)) return new LockFile(path, opened.descriptor);
      } catch (error) {
        closeSync(opened.descriptor);
        throw error;
      }
      closeSync(opened.descriptor);
    }
    throw locked(path, 'something that keeps changing it');
  }

  release(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    this.#descriptor = undefined;
    try {
      if (isSameFile(this.#path, descriptor)) unlinkSync(this.#path);
    } catch {
      // Gone already: released is what was wanted.
    }
    closeSync(descriptor);
  }
}

type Opened =
  | { readonly kind: 'own'; readonly descriptor: number; readonly isFresh: boolean }
  | { readonly kind: 'foreign'; readonly uid: number };

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A regular file of a trusted owner, made where there is none. Throws 'not-a-lock-file' for
 * anything else of theirs.
 */
function openOwn(path: string): Opened | 'changed' {
  const found = lstatSync(path, { throwIfNoEntry: false });
  try {
    if (found === undefined) {
      const descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      return { kind: 'own', descriptor, isFresh: true };
    }
    if (!isTrustedUser(found.uid)) return { kind: 'foreign', uid: found.uid };
    if (!found.isFile()) throw notALockFile(path);
    const descriptor = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (isSame(found, fstatSync(descriptor))) return { kind: 'own', descriptor, isFresh: false };
    closeSync(descriptor);
    return 'changed';
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' || code === 'ENOENT' || code === 'ELOOP') return 'changed';
    throw error;
  }
}

/** Locks the file and writes our process id; false where the name means another file meanwhile. */
function hold(
  path: string,
  { descriptor, isFresh }: Opened & { kind: 'own' },
  ports: LockPorts,
): boolean {
  const errno = lockExclusively(descriptor);
  const text = isFresh ? '' : textOf(descriptor);
  const pid = text === undefined ? undefined : Number.parseInt(text, 10);
  if (errno !== 0) {
    if (errno !== EAGAIN) throw new KeepstateError('lock', `flock of ${path} failed`, { errno });
    throw locked(
      path,
      `keepstate${pid === undefined || Number.isNaN(pid) ? '' : ` (process ${pid})`}`,
    );
  }
  if (!isSameFile(path, descriptor)) return false;
  if (text === undefined) throw notALockFile(path);
  if (!isFresh) refuseUnlocked(path, text, ports);
  ftruncateSync(descriptor);
  // The blank behind the number: its writer holds the lock, too.
  writeSync(descriptor, `${process.pid} \n`, 0);
  return true;
}

/** Those that do not lock their file: conntrackd, and keepstate 0.1.0 of commit 25dc65a. */
function refuseUnlocked(path: string, text: string, ports: LockPorts): void {
  if (text.trim() === '') {
    if (ports.isForeignHeld()) throw locked(path, 'conntrackd');
    return;
  }
  if (text.includes(' ')) return;
  const pid = Number.parseInt(text, 10);
  if (pid !== process.pid && ports.isAlive(pid)) throw locked(path, `keepstate (process ${pid})`);
}

/** The text of a lock file; undefined where it is none. */
function textOf(descriptor: number): string | undefined {
  const file = readDescriptor(descriptor, { bytes: 32 });
  return file.kind === 'text' && /^\d{0,10}\s*$/.test(file.text) ? file.text : undefined;
}

/** False where the folder does not let us; then nobody holds anything by it. */
function removeForeign(path: string, uid: number, logger: Logger): boolean {
  const fields = { path, user: uid };
  try {
    unlinkSync(path);
    logger.log('warning', 'what another user had put in the place of LockFile was removed', fields);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    const reason = fileErrorText(error);
    const message = 'LockFile belongs to another user and is not used: remove it by hand';
    logger.log('warning', message, { ...fields, reason });
    return false;
  }
}

function isSameFile(path: string, descriptor: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && isSame(found, fstatSync(descriptor));
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function locked(path: string, holder: string): KeepstateError {
  return new KeepstateError(
    'locked',
    `lockfile ${path} is held by a running ${holder}: stop it first, or give this one another LockFile`,
  );
}

function notALockFile(path: string): KeepstateError {
  return new KeepstateError(
    'not-a-lock-file',
    `LockFile ${path} exists and is no lock file: give it another path, or remove what is there`,
  );
}
