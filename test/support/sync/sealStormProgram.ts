/**
 * `npm run seal:storm -- --count N [--state FILE] [--seconds S]`: hostile datagrams through the
 * decoder of sealed channels, in blocks. FILE remembers what was done; the same command goes on
 * from there. Exit status: 0 all N were refused, 1 something was believed, 3 the time was over.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stormBlock } from './sealStorm.js';

interface Progress {
  blocks: number;
  hostile: number;
  served: number;
  readonly refused: Record<string, number>;
}

const blockSize = 100_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    state: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});

function load(): Progress {
  const { state } = values;
  if (state === undefined || !existsSync(state)) {
    return { blocks: 0, hostile: 0, served: 0, refused: {} };
  }
  return JSON.parse(readFileSync(state, 'utf8')) as Progress;
}

function save(progress: Progress): void {
  const { state } = values;
  if (state === undefined) return;
  writeFileSync(`${state}.new`, `${JSON.stringify(progress)}\n`);
  renameSync(`${state}.new`, state);
}

const progress = load();
const startedAt = performance.now();
const isOver = (): boolean => performance.now() - startedAt > Number(values.seconds) * 1_000;
while (progress.hostile < Number(values.count) && !isOver()) {
  const { hostile, served, refused } = stormBlock(progress.blocks, blockSize);
  progress.blocks++;
  progress.hostile += hostile;
  progress.served += served;
  for (const [reason, count] of Object.entries(refused)) {
    progress.refused[reason] = (progress.refused[reason] ?? 0) + count;
  }
  save(progress);
}
process.stdout.write(`${JSON.stringify(progress)}\n`);
process.exitCode = progress.hostile < Number(values.count) ? 3 : 0;
