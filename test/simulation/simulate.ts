/**
 * The command of the simulator as a test runs it: a process of its own, without the test's
 * compiler.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';
import type { SeededBug } from './bugs/seededBugs.js';

export interface Simulated {
  readonly code: number | null;
  readonly text: string;
}

const folder = join(repositoryRoot, 'test/simulation');

export function simulate(words: readonly string[], bug?: SeededBug): Simulated {
  const before = ['-r', join(folder, 'loader.cjs'), join(folder, 'command/main.ts')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, ...words], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...(bug === undefined ? {} : { KEEPSTATE_BUG: JSON.stringify(bug) }) },
  });
  return { code: status, text: stdout + stderr };
}
