/** What the log says of a start that failed. Pure. */
import {
  BugError,
  errorStack,
  errorText,
  KeepstateError,
  systemErrorCode,
} from '../base/errors.js';
import type { LogFields } from '../base/logger.js';

/**
 * Why, and what to do about it where that is known. A refusal of ours or of the system has no
 * stack: nobody who operates a firewall can do anything with one. Our own mistakes have it.
 */
export function startFailure(error: unknown, isRoot: boolean): LogFields {
  const reason = errorText(error);
  const code = systemErrorCode(error);
  const isOurs = error instanceof BugError;
  if (!isRoot && (code === 'EACCES' || code === 'EPERM')) {
    return {
      reason,
      remedy: 'start it as root, or as config/keepstate.service.d/user.conf does for another user',
    };
  }
  const isRefusal = error instanceof KeepstateError || isSystemError(error);
  if (isRefusal && !isOurs) return { reason };
  return error instanceof Error ? { reason, stack: errorStack(error) } : { reason };
}

/**
 * Of a system call, as Node.js makes them: those of Node.js itself have codes too, but no errno.
 */
function isSystemError(error: unknown): boolean {
  return (
    systemErrorCode(error) !== undefined &&
    typeof error === 'object' &&
    error !== null &&
    'errno' in error
  );
}
