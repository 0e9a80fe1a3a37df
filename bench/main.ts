/**
 * `npm run bench -- NAME|all [--repeats N] [--only TEXT]`: runs bench/NAME.ts, which exports `open`. --only takes
 * the benchmarks whose names contain TEXT. Exit code: 0 all goals met, 1 one was missed (each is named at
 * the end), 2 it could not be measured.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatVerdict, runBenchmark, type Benchmark, type Verdict } from './framework.js';

/** What each file of this folder exports. Its benchmarks run one after the other. */
export interface BenchmarkModule {
  /** `close` is called at the end, also after a failure. */
  open(): Promise<{ readonly benchmarks: readonly Benchmark[]; close(): Promise<void> }>;
}

interface Outcome {
  readonly missed: { readonly benchmark: string; readonly verdict: Verdict }[];
  /** Benchmarks that threw. */
  readonly failed: string[];
}

const names = [
  'netlink',
  'conntrack',
  'conntrackCommand',
  'sync',
  'failover',
  'faults',
  'vrrp',
  'memory',
  'statistics',
  'busy',
  'web',
  'simulator',
  'reach',
  'start',
  'beat',
];

const usage = `npm run bench -- NAME ...|all [--repeats N] [--only TEXT]

Measures keepstate and the incumbents side by side and prints ratios. As root, on a quiet machine.
  NAME         ${names.join(' ')}
  --repeats N  how often each benchmark runs (default 5)
  --only TEXT  those whose names contain TEXT

Exit status: 0 all goals met, 1 one was missed (named at the end), 2 it could not be measured.
`;

async function main(): Promise<number> {
  const parsed = parsedArguments();
  if (typeof parsed === 'number') return parsed;
  const { values, positionals } = parsed;
  const repeats = /^[1-9]\d{0,3}$/.test(values.repeats) ? Number(values.repeats) : undefined;
  if (repeats === undefined) {
    process.stderr.write(`--repeats ${values.repeats}: a number from 1 to 9999 is expected\n`);
    return 2;
  }
  const available = names.filter((name) => readdirSync(__dirname).includes(`${name}.ts`));
  const chosen = positionals[0] === 'all' ? available : positionals;
  if (chosen.length === 0 || chosen.some((name) => !available.includes(name))) {
    process.stderr.write(usage);
    return 2;
  }
  const outcome: Outcome = { missed: [], failed: [] };
  for (const name of chosen) await runModule(name, repeats, values.only, outcome);
  for (const name of outcome.failed) process.stdout.write(`NOT MEASURED: ${name}\n`);
  for (const { benchmark, verdict } of outcome.missed) {
    process.stdout.write(`GOAL MISSED: ${benchmark}: ${formatVerdict(verdict)}\n`);
  }
  return outcome.failed.length > 0 ? 2 : outcome.missed.length > 0 ? 1 : 0;
}

function parsedArguments() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        repeats: { type: 'string', default: '5' },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!parsed.values.help) return parsed;
    process.stdout.write(usage);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
}

async function runModule(
  name: string,
  repeats: number,
  only: string,
  outcome: Outcome,
): Promise<void> {
  // Checked boundary: every file in `names` exports open().
  const module = (await import(join(__dirname, `${name}.ts`))) as BenchmarkModule;
  const opened = await module.open();
  try {
    for (const benchmark of opened.benchmarks.filter((one) => one.name.includes(only))) {
      try {
        const { verdicts } = await runBenchmark(benchmark, repeats);
        const missed = verdicts.filter(({ isMet }) => !isMet);
        outcome.missed.push(...missed.map((verdict) => ({ benchmark: benchmark.name, verdict })));
      } catch (error) {
        // The other benchmarks still have something to say.
        process.stderr.write(`${benchmark.name}: ${textOf(error)}\n`);
        outcome.failed.push(benchmark.name);
      }
    }
  } finally {
    await opened.close();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${textOf(error)}\n`);
    process.exitCode = 2;
  },
);
