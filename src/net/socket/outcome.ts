/** What the answers of the kernel mean: an outcome, a refusal with its remedy, or an exception. */
import {
  EACCES,
  EAFNOSUPPORT,
  EEXIST,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPERM,
  EPROTONOSUPPORT,
  errnoName,
  errnoText,
} from '../../base/errno.js';
import { KernelError } from '../../base/errors.js';
import type { KernelOutcome } from '../ports.js';

/**
 * Why a socket was refused, and what to do about it where this errno has a remedy of its own: only
 * a missing right is mended by `capability` (CAP_NET_RAW). "EMFILE: too many open files: raise
 * LimitNOFILE of the service (ulimit -n)"
 */
export function refusedSocketText(errno: number, capability: string): string {
  const remedy = remedyOf(errno, capability);
  return `${errnoName(errno)}: ${errnoText(errno)}${remedy === undefined ? '' : `: ${remedy}`}`;
}

function remedyOf(errno: number, capability: string): string | undefined {
  switch (errno) {
    case EPERM:
    case EACCES:
      return `${capability} is needed`;
    case EMFILE:
      return 'raise LimitNOFILE of the service (ulimit -n)';
    case ENFILE:
      return 'the whole machine has too many open: raise fs.file-max';
    case ENOMEM:
    case ENOBUFS:
      return 'the kernel has no memory for it';
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      return 'this kernel lacks it: a module is missing, or it was built without';
    default:
      return undefined;
  }
}

/** Wraps 0 or a positive errno as an outcome; EEXIST is `exists`, the given errnos are `absent`. */
export function outcomeOf(errno: number, absentErrnos: readonly number[] = []): KernelOutcome {
  if (errno === 0) return { kind: 'done' };
  if (errno === EEXIST) return { kind: 'exists' };
  if (absentErrnos.includes(errno)) return { kind: 'absent' };
  return { kind: 'refused', errno, message: `${errnoName(errno)}: ${errnoText(errno)}` };
}

/** For callers that cannot go on: throws KernelError unless `errno` is 0. */
export function requireDone(operation: string, errno: number): void {
  if (errno !== 0) {
    throw new KernelError(operation, errno, `${errnoName(errno)}: ${errnoText(errno)}`);
  }
}
