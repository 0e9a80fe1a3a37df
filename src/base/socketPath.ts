/**
 * Paths of listening UNIX sockets (unix(7)): which can be bound, and how one that a crash has left
 * is taken over.
 */
import { lstatSync, rmSync } from 'node:fs';
import { BoundaryError } from './errors.js';

/**
 * sun_path of sockaddr_un without its NUL, in bytes. libuv cuts off what is longer, without a word.
 */
export const longestSocketPath = 107;

export function isSocketPathTooLong(path: string): boolean {
  return Buffer.byteLength(path) > longestSocketPath;
}

/**
 * Makes room for a socket: removes one that stands there. Throws BoundaryError('not-a-socket') when
 * something else does, which is left alone, and BoundaryError('path-too-long').
 */
export function clearSocketPath(path: string): void {
  if (isSocketPathTooLong(path)) {
    throw new BoundaryError(
      'path-too-long',
      `${path} is too long for a socket: at most ${longestSocketPath} bytes`,
    );
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new BoundaryError(
      'not-a-socket',
      `${path} exists and is not a socket: name another path, or remove it`,
    );
  }
  rmSync(path, { force: true });
}
