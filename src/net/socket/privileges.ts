/** execve(2) with fewer capabilities and as another user, which Node.js does not have. */
import { nativeAddon } from '../native/load.js';
import type { KernelOutcome } from '../ports.js';
import { outcomeOf } from './outcome.js';

export interface Privileges {
  /** All that is left, as bits (linux/capability.h). */
  readonly capabilities: bigint;
  /** Absent: the user stays. */
  readonly identity?: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  };
}

/**
 * Runs `words`, the path of a program first, in this process's place. Returns only where that could
 * not be: then it was refused, and some capabilities may be gone.
 */
export function executeWith(
  { capabilities, identity }: Privileges,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): KernelOutcome {
  const bits = Uint32Array.of(Number(capabilities & 0xffff_ffffn), Number(capabilities >> 32n));
  const who = identity === undefined ? [] : [identity.uid, identity.gid, ...identity.groups];
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return outcomeOf(nativeAddon().executeWith(bits, Uint32Array.from(who), words, entries));
}
