/**
 * The files that this program reads and writes by name. Whoever may write to a folder can put a
 * pipe, a device, a link or a file without end under such a name: only regular files are opened, no
 * open or read waits for anybody, and nothing is read beyond a limit. Where the content is to be
 * replaced, a fresh file is renamed over whatever stands there.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  lstat,
  lstatSync,
  open,
  openSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  write,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemErrorCode, errorText } from './errors.js';

/** A file's text, or why there is none (`reason` is for a person, in plain words). */
export type FileText =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** A part was left out. */ readonly isCut: boolean;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface FileLimit {
  /** Never read more than this many bytes. */
  readonly bytes: number;
  /**
   * What becomes of a longer file: `refuse` (the default), or only its `start` or `end` is read.
   */
  readonly ofLonger?: 'refuse' | 'start' | 'end';
}

const notRegular = 'not a regular file';

/** Reads a text file (UTF-8; symbolic links are followed). Never throws and never waits. */
export function readRegularFile(path: string, limit: FileLimit): FileText {
  let descriptor: number;
  try {
    // Looked at before it is opened: some devices begin to work when they are opened.
    if (!statSync(path).isFile()) return { kind: 'unreadable', reason: notRegular };
    descriptor = openRegular(path, constants.O_RDONLY);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'unreadable', reason: fileErrorText(error) };
  }
  try {
    return readDescriptor(descriptor, limit);
  } catch (error) {
    return { kind: 'unreadable', reason: fileErrorText(error) };
  } finally {
    closeSync(descriptor);
  }
}

/** The text behind an open descriptor, from where it stands; throws what read(2) does. */
export function readDescriptor(descriptor: number, limit: FileLimit): FileText {
  const { bytes, ofLonger = 'refuse' } = limit;
  const { size } = fstatSync(descriptor);
  if (size > bytes && ofLonger === 'refuse') return tooLong(bytes);
  let position = ofLonger === 'end' && size > bytes ? size - bytes : undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  // One byte beyond the limit tells a file that is longer than it says (/proc, or one that grows).
  // Many are read at a start, and most of /proc are short and say 0.
  let chunkBytes = Math.max(2_048, size + 1);
  while (length <= bytes) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, chunkBytes, bytes + 1 - length));
    chunkBytes *= 2;
    const count = readSync(descriptor, chunk, 0, chunk.length, position ?? null);
    if (count === 0) break;
    if (position !== undefined) position += count;
    chunks.push(chunk.subarray(0, count));
    length += count;
  }
  if (length > bytes && ofLonger === 'refuse') return tooLong(bytes);
  const text = Buffer.concat(chunks).subarray(0, bytes).toString('utf8');
  return { kind: 'text', text, isCut: length > bytes || size > bytes };
}

/**
 * open(2) of a regular file, as `openWithoutWaiting` does it. Throws Error('not a regular file')
 * for anything else.
 */
export function openRegular(path: string, flags: number, mode?: number): number {
  const descriptor = openWithoutWaiting(path, flags, mode);
  try {
    if (fstatSync(descriptor).isFile()) return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  throw new Error(notRegular);
}

/**
 * open(2) that waits for nobody: a pipe that nobody reads is ENXIO. To write, a symbolic link is
 * followed only where root or this process's user made it. Throws Node.js's system error. The
 * caller closes the descriptor.
 */
export function openWithoutWaiting(path: string, flags: number, mode?: number): number {
  const writes = (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
  const noFollow = writes && !isTrustedLink(path) ? constants.O_NOFOLLOW : 0;
  return openSync(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow, mode);
}

/** The same beside the event loop: a disk that hangs holds up nobody. Rejects as it throws. */
export async function openLater(path: string, flags: number, mode?: number): Promise<number> {
  const found = await findLink(path).catch(() => undefined);
  const noFollow = isTrusted(found) ? 0 : constants.O_NOFOLLOW;
  return openFile(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY | noFollow, mode);
}

const openFile = promisify(open);
const findLink = promisify<string, Stats>(lstat);

function isTrustedLink(path: string): boolean {
  return isTrusted(lstatSync(path, { throwIfNoEntry: false }));
}

function isTrusted(found: Stats | undefined): boolean {
  if (found?.isSymbolicLink() !== true) return false;
  return found.uid === 0 || found.uid === process.geteuid?.();
}

/**
 * Appends to a regular file and makes it (mode 0600) where there is none. Throws as `openRegular`
 * does.
 */
export function appendToFile(path: string, text: string): void {
  writeThrough(path, text, constants.O_APPEND, 0o600);
}

/**
 * The file's text becomes `text`; it is made (mode by the umask) where there is none. Throws as
 * `openRegular` does.
 */
export function overwriteFile(path: string, text: string): void {
  writeThrough(path, text, constants.O_TRUNC, 0o666);
}

function writeThrough(path: string, text: string, how: number, mode: number): void {
  const descriptor = openRegular(path, constants.O_WRONLY | constants.O_CREAT | how, mode);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

export interface ReplaceOptions {
  /** The text is on the disk when this returns, and a loss of power does not undo it. */
  readonly durable?: boolean;
  /** Default 0600. */
  readonly mode?: number;
  /** The name under which the text is written first; default `PATH.new`. In the same folder. */
  readonly fresh?: string;
}

/**
 * Puts a file with this text under the name. A link, a pipe or a device that stands
 * there is replaced and never followed or opened. Throws Node.js's system error; then the name is
 * as before.
 */
export function replaceFile(path: string, text: string, options: ReplaceOptions = {}): void {
  const { durable = false, mode = 0o600, fresh = `${path}.new` } = options;
  const descriptor = createExclusively(fresh, mode);
  try {
    try {
      writeFileSync(descriptor, text, { flush: durable });
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, path);
  } catch (error) {
    removeQuietly(fresh);
    throw error;
  }
  if (durable) syncFolder(dirname(path));
}

/**
 * As a durable `replaceFile`, but the disk is waited for beside the event loop. Where `isStale`
 * says so at the end of the writing, something newer stands under the name, and it stays. Rejects
 * with Node.js's system error.
 */
export async function replaceFileLater(
  path: string,
  text: string,
  isStale: () => boolean,
): Promise<void> {
  const fresh = `${path}.later`;
  const descriptor = createExclusively(fresh);
  try {
    try {
      await writeAll(descriptor, Buffer.from(text));
      await flush(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (isStale()) removeQuietly(fresh);
    else renameSync(fresh, path);
  } catch (error) {
    removeQuietly(fresh);
    throw error;
  }
}

const writeBytes = promisify(write);
const flush = promisify(fsync);

async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await writeBytes(descriptor, bytes, written);
    written += bytesWritten;
  }
}

/**
 * What a file operation failed with, in plain words where there are some: the path stands beside it
 * anyhow.
 */
export function fileErrorText(error: unknown): string {
  switch (systemErrorCode(error)) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
      return 'no permission to use it';
    case 'ELOOP':
      return 'a symbolic link';
    // What opening a pipe without a reader, or a socket, gives.
    case 'ENXIO':
      return notRegular;
    case undefined:
    default:
      return errorText(error);
  }
}

function createExclusively(path: string, mode = 0o600): number {
  const { O_WRONLY, O_CREAT, O_EXCL } = constants;
  try {
    return openRegular(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    // Left by a crash, or put there by somebody.
    unlinkSync(path);
    return openRegular(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The first error is the one to report.
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function tooLong(bytes: number): FileText {
  return { kind: 'unreadable', reason: `longer than ${bytes} bytes` };
}
