/** Linux error numbers by name and text, from the running system's own table (errno(3)). */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { KernelError } from '../../base/errors.js';
import type { KernelOutcome } from '../ports.js';

const errnos = constants.errno;

export const EPERM = errnos.EPERM;
export const ENOENT = errnos.ENOENT;
export const ESRCH = errnos.ESRCH;
export const EINTR = errnos.EINTR;
export const EMFILE = errnos.EMFILE;
export const ENFILE = errnos.ENFILE;
export const EAFNOSUPPORT = errnos.EAFNOSUPPORT;
export const EPROTONOSUPPORT = errnos.EPROTONOSUPPORT;
export const EIO = errnos.EIO;
export const EBADF = errnos.EBADF;
export const EAGAIN = errnos.EAGAIN;
export const ENOMEM = errnos.ENOMEM;
export const EACCES = errnos.EACCES;
export const EBUSY = errnos.EBUSY;
export const EEXIST = errnos.EEXIST;
export const ENODEV = errnos.ENODEV;
export const EINVAL = errnos.EINVAL;
export const ERANGE = errnos.ERANGE;
export const EMSGSIZE = errnos.EMSGSIZE;
export const EOPNOTSUPP = errnos.EOPNOTSUPP;
export const EADDRINUSE = errnos.EADDRINUSE;
export const EADDRNOTAVAIL = errnos.EADDRNOTAVAIL;
export const ENETDOWN = errnos.ENETDOWN;
export const ENETUNREACH = errnos.ENETUNREACH;
export const ENOBUFS = errnos.ENOBUFS;
export const ETIMEDOUT = errnos.ETIMEDOUT;
export const ENOTCONN = errnos.ENOTCONN;
export const EINPROGRESS = errnos.EINPROGRESS;
export const ECONNREFUSED = errnos.ECONNREFUSED;

const names = new Map<number, string>(Object.entries(errnos).map(([name, code]) => [code, name]));

/** "ENOBUFS", or "errno 4000" for a number the system does not name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** "no buffer space available", or the name where there is no text. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? errnoName(errno);
}

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
