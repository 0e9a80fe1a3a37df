/**
 * What the compiler is told before the first event: to inline more than it does by itself. The way
 * of an event is some sixty small functions in ten files, and V8 stops inlining after 920 bytes of
 * bytecode, in the middle of it (docs/decisions/flow-table.md has the figures).
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Bytecode that may be inlined into one function, and how long a function to be inlined may be;
 * bytes.
 */
const flags = [
  '--max-inlined-bytecode-size-cumulative=6000',
  '--max-inlined-bytecode-size=1500',
] as const;

/**
 * For the whole process, its worker threads included. A flag that a later V8 does not know costs a
 * line on stderr.
 */
export function inlineMore(): void {
  for (const flag of flags) setFlagsFromString(flag);
}
