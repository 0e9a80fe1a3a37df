/** Linux error numbers by name and text, from the running system's own table (errno(3)). */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

const errnos = constants.errno;

export const EACCES = errnos.EACCES;
export const EADDRINUSE = errnos.EADDRINUSE;
export const EADDRNOTAVAIL = errnos.EADDRNOTAVAIL;
export const EAFNOSUPPORT = errnos.EAFNOSUPPORT;
export const EAGAIN = errnos.EAGAIN;
export const EBADF = errnos.EBADF;
export const EBUSY = errnos.EBUSY;
export const ECONNREFUSED = errnos.ECONNREFUSED;
export const EEXIST = errnos.EEXIST;
export const EHOSTUNREACH = errnos.EHOSTUNREACH;
export const EINPROGRESS = errnos.EINPROGRESS;
export const EINTR = errnos.EINTR;
export const EINVAL = errnos.EINVAL;
export const EIO = errnos.EIO;
export const EMFILE = errnos.EMFILE;
export const EMSGSIZE = errnos.EMSGSIZE;
export const ENETDOWN = errnos.ENETDOWN;
export const ENETUNREACH = errnos.ENETUNREACH;
export const ENFILE = errnos.ENFILE;
export const ENOBUFS = errnos.ENOBUFS;
export const ENODEV = errnos.ENODEV;
export const ENOENT = errnos.ENOENT;
export const ENOMEM = errnos.ENOMEM;
export const ENOSPC = errnos.ENOSPC;
export const ENOTCONN = errnos.ENOTCONN;
export const ENXIO = errnos.ENXIO;
export const EOPNOTSUPP = errnos.EOPNOTSUPP;
export const EPERM = errnos.EPERM;
export const EPROTONOSUPPORT = errnos.EPROTONOSUPPORT;
export const ERANGE = errnos.ERANGE;
export const ESRCH = errnos.ESRCH;
export const ETIME = errnos.ETIME;
export const ETIMEDOUT = errnos.ETIMEDOUT;

const names = new Map<number, string>(Object.entries(errnos).map(([name, code]) => [code, name]));

/** "ENOBUFS", or "errno 4000" for a number the system does not name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/** "no buffer space available", or the name where there is no text. */
export function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? errnoName(errno);
}
