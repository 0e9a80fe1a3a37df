/**
 * The simulator of the whole cluster (test/simulation): what a life of one virtual minute with 50
 * clients costs, and a virtual hour in which nothing happens. Real CPU of one process, warm.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Benchmark, Figures } from './framework.js';

const run = promisify(execFile);
const folder = join(__dirname, '../test/simulation');
/** The first lives compile the code that the others run. */
const lives = 300;

export function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  const measure = async (): Promise<Figures> => {
    const words = ['-r', join(folder, 'loader.cjs'), join(folder, 'command/main.ts')];
    const { stdout } = await run(process.execPath, [...words, '--measure', String(lives)], {
      maxBuffer: 1 << 24,
    });
    // The simulator prints one line of figures.
    return JSON.parse(stdout) as Figures;
  };
  const candidate = 'simulator';
  const benchmark: Benchmark = {
    name: 'simulator',
    description: `${lives} lives of one virtual minute, and one quiet virtual hour`,
    candidates: [{ name: candidate, run: measure }],
    comparisons: [
      { figure: 'cpuMillisecondsPerLife', candidate, atMost: 50 },
      { figure: 'cpuMillisecondsPerQuietHour', candidate, atMost: 1_000 },
    ],
  };
  return Promise.resolve({ benchmarks: [benchmark], close: () => Promise.resolve() });
}
