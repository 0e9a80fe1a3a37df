/**
 * What the command says on standard error, in the words of conntrack 1.4.9: scripts look for them.
 */
import {
  EAGAIN,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOBUFS,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  ETIME,
  errnoText,
} from '../../base/errno.js';
import type { Form } from './optionTable.js';
import { failure, type Refusal } from './refusal.js';

/** The version whose behaviour this is. */
export const programVersion = 'conntrack v1.4.9 (conntrack-tools)';
export const helpHint = "Try `conntrack -h' or 'conntrack --help' for more information.";

/** strerror(3) of what ctnetlink answers. */
const systemTexts = new Map<number, string>([
  [EPERM, 'Operation not permitted'],
  [ENOENT, 'No such file or directory'],
  [EAGAIN, 'Resource temporarily unavailable'],
  [ENOMEM, 'Cannot allocate memory'],
  [EBUSY, 'Device or resource busy'],
  [EEXIST, 'File exists'],
  [EINVAL, 'Invalid argument'],
  [ENOSPC, 'No space left on device'],
  [ERANGE, 'Numerical result out of range'],
  [ETIME, 'Timer expired'],
  [EOPNOTSUPP, 'Operation not supported'],
  [ENOBUFS, 'No buffer space available'],
]);

const notRoot = 'sorry, you must be root or get CAP_NET_ADMIN capability to do this';
const noSuchFlow = "such conntrack doesn't exist";

/** Texts in place of strerror(3), by command. */
const ownTexts: Partial<Record<Form, Readonly<Record<number, string>>>> = {
  '-I': { [EEXIST]: 'Such conntrack exists, try -U to update', [ENOENT]: noSuchFlow },
  '-G': { [ENOENT]: noSuchFlow },
  '-D': { [ENOENT]: noSuchFlow },
  '-A': { [ENOENT]: noSuchFlow },
  '-I expect': { [ENOENT]: 'master conntrack not found' },
};

/** The failure of a command with a positive errno. */
export function operationFailed(form: Form, errno: number): Refusal {
  const own = ownTexts[form]?.[errno];
  return failure(`Operation failed: ${own ?? commonText(form, errno)}`);
}

function commonText(form: Form, errno: number): string {
  if (errno === EPERM) return notRoot;
  if (errno === ENOMEM) return 'not enough memory';
  if (errno === EINVAL && form !== '-A') return 'invalid parameters';
  return systemTexts.get(errno) ?? errnoText(errno);
}
