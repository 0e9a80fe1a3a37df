/**
 * `npm run trace`: the main thread's half of a takeover, from the advert with which the MASTER
 * gives the role up until the VIP is set, on a node whose kernel, clock and worker are faked.
 * Prints each file of src/ whose code runs, in the order of its first function, with its functions.
 * docs/architecture.md has the same walk in words.
 */
import { traceTakeover } from '../test/support/daemon/tracedTakeover.js';

async function main(): Promise<void> {
  const files = new Map<string, Set<string>>();
  for (const line of await traceTakeover()) {
    const [file = '', name = ''] = line.split(' ');
    files.set(file, (files.get(file) ?? new Set()).add(name));
  }
  for (const [file, names] of files) process.stdout.write(`${file}: ${[...names].join(' ')}\n`);
  process.stdout.write(`${files.size} files\n`);
}

void main();
