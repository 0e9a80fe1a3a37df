/** `npm run bench -- NAME [--repeats N]`: runs bench/NAME.ts, which exports `benchmarks`. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runBenchmark, type Benchmark } from './framework.js';

/** What each file of this folder exports. Its benchmarks run one after the other. */
export interface BenchmarkModule {
  /** `close` is called at the end, also after a failure. */
  open(): Promise<{ readonly benchmarks: readonly Benchmark[]; close(): Promise<void> }>;
}

const notBenchmarks = new Set(['main.ts', 'framework.ts']);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { repeats: { type: 'string', default: '5' } },
  });
  const name = positionals[0] ?? '';
  const path = join(__dirname, `${name}.ts`);
  if (!/^\w+$/.test(name) || !existsSync(path) || notBenchmarks.has(`${name}.ts`)) {
    const names = readdirSync(__dirname).filter((file) => isBenchmark(file));
    process.stderr.write(`which one? ${names.map((file) => file.slice(0, -3)).join(' ')}\n`);
    return 2;
  }
  // Checked boundary: every file that isBenchmark() lists exports open().
  const module = (await import(path)) as BenchmarkModule;
  const opened = await module.open();
  try {
    let missed = 0;
    for (const benchmark of opened.benchmarks) {
      const report = await runBenchmark(benchmark, Number(values.repeats));
      missed += report.verdicts.filter(({ isMet }) => !isMet).length;
    }
    return missed === 0 ? 0 : 1;
  } finally {
    await opened.close();
  }
}

function isBenchmark(file: string): boolean {
  return /^[a-z]+\.ts$/.test(file) && !notBenchmarks.has(file);
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 2;
  },
);
