/**
 * The program under the name `conntrack`, or as `keepstate conntrack`: bin/keepstate loads this file in place of the whole
 * program, since a listing should not wait for what it does not use.
 */
import { processPorts } from './ports.js';
import { runConntrack } from './run.js';

const words = process.argv.slice(2);

// The exit code is set, not forced: what was written to a pipe is there when the process ends.
void runConntrack(words[0] === 'conntrack' ? words.slice(1) : words, processPorts).then(
  (code) => (process.exitCode = code),
);
