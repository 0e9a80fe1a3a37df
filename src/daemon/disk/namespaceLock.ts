/**
 * One keepstate for each network namespace: two with the same instances are two masters of one
 * network, and neither hears the other. The file is locked, named after the namespace, in a folder
 * that only root (or this process's user) may write to.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { KeepstateError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { fileErrorText } from '../../base/regularFile.js';
import { LockFile } from './lockFile.js';

const runFolder = '/run/keepstate';

/**
 * undefined where no lock can be had (no such folder, not permitted): that is logged, and the start
 * goes on. Throws KeepstateError('beside-keepstate') where another one runs in this namespace.
 */
export function lockNamespace(logger: Logger, folder = runFolder): LockFile | undefined {
  const never = (): boolean => false;
  try {
    // The main thread's, which is the one that opens sockets of VRRP.
    const namespace = statSync('/proc/self/ns/net').ino;
    const path = join(folder, `network-namespace-${namespace}.lock`);
    return LockFile.take(path, { isAlive: never, isForeignHeld: never, logger });
  } catch (error) {
    if (error instanceof KeepstateError && error.code === 'locked') throw besideAnother(error);
    const reason = fileErrorText(error);
    logger.log('warning', 'a second keepstate in this network namespace would not be noticed', {
      reason,
    });
    return undefined;
  }
}

function besideAnother(error: KeepstateError): KeepstateError {
  const holder = /keepstate \(process \d+\)/.exec(error.message)?.[0] ?? 'keepstate';
  return new KeepstateError(
    'beside-keepstate',
    `another ${holder} runs in this network namespace: both would be MASTER. Stop it, or put all instances into one file`,
  );
}
