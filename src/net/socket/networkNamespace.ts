/**
 * Network namespaces of the calling thread. Sockets, ioctls and /proc/sys/net belong to the
 * namespace of the thread that opens them. Worker threads and child processes start in that of
 * their creator.
 */
import { BugError } from '../../base/errors.js';
import { outcomeOf, requireDone } from './outcome.js';
import { nativeAddon } from '../native/load.js';
import type { KernelOutcome } from '../ports.js';

/**
 * Runs `work` with the calling thread inside the namespace at `path` (such as /run/netns/NAME or
 * /proc/PID/ns/net) and returns what it returns. `work` must be synchronous: what it opens stays in
 * that namespace, what it schedules runs outside. Throws KernelError when the namespace cannot be
 * entered.
 */
export function withNetworkNamespace<Result>(path: string, work: () => Result): Result {
  const addon = nativeAddon();
  const before = addon.enterNetworkNamespace(path);
  if (before < 0) requireDone(`enter network namespace ${path}`, -before);
  try {
    return work();
  } finally {
    const errno = addon.restoreNetworkNamespace(before, true);
    // A thread in the wrong namespace would open later sockets there.
    if (errno !== 0) process.nextTick(abandonThread, errno);
  }
}

/** Moves the calling thread for good (keepalived's `net_namespace`), before it opens sockets. */
export function enterNetworkNamespace(path: string): KernelOutcome {
  const addon = nativeAddon();
  const before = addon.enterNetworkNamespace(path);
  if (before < 0) return outcomeOf(-before);
  addon.restoreNetworkNamespace(before, false);
  return { kind: 'done' };
}

function abandonThread(errno: number): never {
  throw new BugError('cannot return to the own network namespace', { errno });
}
