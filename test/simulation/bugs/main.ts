/**
 * `npm run simulate:bugs`: which seeded bugs are found, by which promise and within how many lives.
 * Each bug is tried in a process of its own, whose loader changes the one line.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LivesWanted } from '../command/manyLives.js';
import type { Tally } from '../command/tally.js';
import { seededBugs, type SeededBug } from './seededBugs.js';

const help = `Seeded bugs: each one changed line of src in the simulator's build alone. Which of them are found?

  npm run simulate:bugs                     all, each until it is found or for 10,000 lives
      --lives N       at most so many lives for each
      --only NAME     those whose name or file holds NAME
      --workers N     side by side (2)

Ends with 1 where one is not found. docs/reliability.md has the list of those, with the reason.
`;

interface Found {
  readonly bug: SeededBug;
  readonly lives: number;
  readonly seed: number | undefined;
  readonly by: string;
}

const main = join(__dirname, '../command/main.ts');
/** A life takes a tenth of a second; one that does not end is a bug that was found. */
const longestPerLife = 5_000;
const shortest = 120_000;

function tryBug(bug: SeededBug, lives: number): Promise<Found> {
  const wanted: LivesWanted = {
    ...{ from: 1, step: 1, lives, clients: 50, coverage: false, until: 1 },
  };
  return new Promise((resolve) => {
    const child = fork(main, ['--part', JSON.stringify(wanted)], {
      execArgv: process.execArgv,
      env: { ...process.env, KEEPSTATE_BUG: JSON.stringify(bug) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let tally: Tally | undefined;
    let errors = '';
    const limit = setTimeout(() => child.kill('SIGKILL'), shortest + lives * longestPerLife);
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('message', (message) => {
      // The child is the simulator, which sends one message.
      tally = message as Tally;
    });
    child.on('exit', () => {
      clearTimeout(limit);
      const [first] = tally?.broken ?? [];
      const by =
        tally === undefined
          ? `the process ended: ${errors.split('\n').find((line) => line.includes('rror')) ?? 'a life without end'}`
          : (first?.invariant ?? 'not found');
      resolve({ bug, lives: tally?.lives ?? 0, seed: first?.seed, by });
    });
  });
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      lives: { type: 'string', default: '10000' },
      only: { type: 'string', default: '' },
      workers: { type: 'string', default: '2' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const { only } = values;
  const bugs = seededBugs.filter(({ name, file }) => name.includes(only) || file.includes(only));
  const waiting = [...bugs];
  const missed: string[] = [];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const found = await tryBug(bug, Number(values.lives));
      process.stdout.write(`${bug.name.padEnd(34)} ${found.by}, ${found.lives} lives\n`);
      if (found.by === 'not found') missed.push(bug.name);
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, work));
  process.stdout.write(
    `${bugs.length - missed.length} of ${bugs.length} found; not found: ${missed.join(', ') || 'none'}\n`,
  );
  return missed.length > 0 ? 1 : 0;
}

run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
