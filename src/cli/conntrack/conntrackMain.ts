/**
 * The program under the name `conntrack`, or as `keepstate conntrack`: bin/keepstate loads this
 * file in place of the whole program, since a listing should not wait for what it does not use.
 */
import { setFlagsFromString } from 'node:v8';
import { processPorts } from './commandPorts.js';
import { runConntrack } from './dispatch.js';

// A line is written by thirty small functions: V8 stops inlining in the middle of them unless it is
// told (a fifth of the time).
setFlagsFromString('--max-inlined-bytecode-size-cumulative=6000');
setFlagsFromString('--max-inlined-bytecode-size=1500');

const words = process.argv.slice(2);

// The exit code is set, not forced: what was written to a pipe is there when the process ends.
void runConntrack(words[0] === 'conntrack' ? words.slice(1) : words, processPorts).then(
  (code) => (process.exitCode = code),
);
