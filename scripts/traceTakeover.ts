/**
 * `npm run trace`: the main thread's half of a takeover, from the advert with which the MASTER
 * gives the role up until the VIP is set, on a node whose kernel, clock and worker are faked.
 * Prints each file of src/ whose code runs, in the order of its first function, with its functions:
 * first those on the way, then those aside. docs/architecture.md has the same way in words.
 */
import { traceTakeover } from '../test/support/daemon/tracedTakeover.js';

/**
 * What runs too, and takes nobody from the advert to the VIP: files or folders, with what they do.
 */
const asides: Readonly<Record<string, string>> = {
  'base/': 'values and their arithmetic',
  'coordinator/evidence.ts': 'what was shown of the last role counts no more',
  'vrrp/machine/reasons.ts': 'the sentence for log, history and status',
};

async function main(): Promise<void> {
  const files = new Map<string, Set<string>>();
  for (const line of await traceTakeover()) {
    const [file = '', name = ''] = line.split(' ');
    files.set(file, (files.get(file) ?? new Set()).add(name));
  }
  const asideOf = (file: string): string | undefined =>
    Object.keys(asides).find((one) => file === one || (one.endsWith('/') && file.startsWith(one)));
  const way = [...files].filter(([file]) => asideOf(file) === undefined);
  const others = [...files].filter(([file]) => asideOf(file) !== undefined);
  print(`the way, ${way.length} files:`);
  for (const [file, names] of way) print(`  ${file}: ${[...names].join(' ')}`);
  print(`aside, ${others.length} files:`);
  for (const [file] of others) print(`  ${file}: ${asides[asideOf(file) ?? ''] ?? ''}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

void main();
