/**
 * Fewer capabilities for this process, and execve(2) as another user: Node.js has neither of them.
 */
import { nativeAddon } from '../native/load.js';
import type { KernelOutcome } from '../ports.js';
import { outcomeOf } from './outcome.js';

export interface Privileges {
  /** All that is left, as bits (linux/capability.h). */
  readonly capabilities: bigint;
  readonly identity: Identity;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/**
 * No thread of this process keeps other capabilities than these. Where that was refused, some may
 * be gone.
 */
export function narrowThreads(capabilities: bigint): KernelOutcome {
  return outcomeOf(nativeAddon().narrowThreads(words(capabilities)));
}

/**
 * Runs `command`, the path of a program first, in this process's place. Returns only where that could
 * not be: then it was refused, and some capabilities may be gone.
 */
export function executeWith(
  { capabilities, identity }: Privileges,
  command: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): KernelOutcome {
  const who = Uint32Array.of(identity.uid, identity.gid, ...identity.groups);
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return outcomeOf(nativeAddon().executeWith(words(capabilities), who, command, entries));
}

/** Low and high. */
function words(capabilities: bigint): Uint32Array {
  return Uint32Array.of(Number(capabilities & 0xffff_ffffn), Number(capabilities >> 32n));
}
