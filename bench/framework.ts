/**
 * What all benchmarks share: candidates take turns, so that a change of the machine's mood hits all of
 * them; medians are compared, minimum and maximum show the noise; everything goes into a JSON file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** Named figures of one run, unit in the name: `cpuMicrosecondsPerEvent`. */
export type Figures = Readonly<Record<string, number>>;

export interface Candidate {
  readonly name: string;
  /** One complete run, set-up excluded from its figures. */
  run(): Promise<Figures>;
}

/** Says how `candidate` stands to `against` in `figure`; `atMost` is checked on the median. */
export interface Comparison {
  readonly figure: string;
  readonly candidate: string;
  readonly against?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** How much more than `against` the candidate may have, in the unit of the figure. */
  readonly beyondAtMost?: number;
}

export interface Benchmark {
  readonly name: string;
  readonly description: string;
  readonly candidates: readonly Candidate[];
  readonly comparisons: readonly Comparison[];
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: readonly number[];
}

export interface Verdict extends Comparison {
  readonly median: number;
  /** candidate / against, medians. */
  readonly ratio: number | undefined;
  /** candidate - against, where that is limited. */
  readonly beyond?: number;
  readonly isMet: boolean;
}

export interface Report {
  readonly name: string;
  readonly description: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly repeats: number;
  readonly figures: Readonly<Record<string, Readonly<Record<string, Summary>>>>;
  readonly verdicts: readonly Verdict[];
}

const resultsFolder = join(__dirname, '..', 'bench-results');

/** Runs, prints to stdout, writes `bench-results/NAME.json`. A figure that a run lacks is left out. */
export async function runBenchmark(benchmark: Benchmark, repeats: number): Promise<Report> {
  const loadBefore = loadavg()[0] ?? 0;
  const runs = new Map<string, Figures[]>(benchmark.candidates.map(({ name }) => [name, []]));
  for (let round = 1; round <= repeats; round++) {
    for (const candidate of benchmark.candidates) {
      process.stderr.write(`${benchmark.name}: round ${round} of ${repeats}, ${candidate.name}\n`);
      const figures = await candidate.run();
      for (const line of losses(candidate.name, figures)) process.stderr.write(`  ${line}\n`);
      runs.get(candidate.name)!.push(figures);
    }
  }
  const figures = Object.fromEntries(
    [...runs].map(([name, list]) => [name, summarise(list)] as const),
  );
  const report: Report = {
    name: benchmark.name,
    description: benchmark.description,
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      kernel: release(),
      node: process.version,
      memoryMebibytes: Math.round(totalmem() / 2 ** 20),
      loadBefore: Number(loadBefore.toFixed(1)),
    },
    repeats,
    figures,
    verdicts: benchmark.comparisons.map((comparison) => judge(comparison, figures)),
  };
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(
    join(resultsFolder, `${benchmark.name}.json`),
    `${JSON.stringify(report, undefined, 2)}\n`,
  );
  process.stdout.write(formatReport(report));
  return report;
}

const lossFigures = new Set(['lost', 'eventsLost', 'missing', 'flowsLeftBehind', 'failed']);

/** What a reader must know of a run before its other figures: a daemon that loses work has less to do. */
export function losses(candidate: string, figures: Figures): string[] {
  return Object.entries(figures)
    .filter(([name, value]) => lossFigures.has(name) && value > 0)
    .map(([name, value]) => `${candidate} ${name}: ${round(value)}`);
}

/** Median, minimum and maximum of each figure over the runs. */
export function summarise(runs: readonly Figures[]): Record<string, Summary> {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = runs.flatMap((run) => run[name] ?? []);
      return [name, summary(values)] as const;
    }),
  );
}

function summary(runs: readonly number[]): Summary {
  const sorted = [...runs].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted[sorted.length - 1]!, runs };
}

/** A missing figure fails its comparison. */
export function judge(comparison: Comparison, figures: Report['figures']): Verdict {
  const { figure, candidate, against, atMost, atLeast, beyondAtMost } = comparison;
  const median = figures[candidate]?.[figure]?.median ?? NaN;
  const other = against === undefined ? undefined : (figures[against]?.[figure]?.median ?? NaN);
  const ratio = other === undefined ? undefined : median / other;
  const compared = ratio ?? median;
  const beyond = beyondAtMost === undefined || other === undefined ? undefined : median - other;
  const isMet =
    !Number.isNaN(compared) &&
    (atMost === undefined || compared <= atMost) &&
    (atLeast === undefined || compared >= atLeast) &&
    (beyondAtMost === undefined || (beyond ?? NaN) <= beyondAtMost);
  return { ...comparison, median, ratio, ...(beyond === undefined ? {} : { beyond }), isMet };
}

export function formatReport(report: Report): string {
  const lines = [`${report.name}: ${report.description} (${report.repeats} runs each)`];
  for (const [candidate, figures] of Object.entries(report.figures)) {
    lines.push(`  ${candidate}`);
    for (const [figure, { median, min, max }] of Object.entries(figures)) {
      lines.push(`    ${figure}  ${round(median)}  (${round(min)} .. ${round(max)})`);
    }
  }
  for (const verdict of report.verdicts) lines.push(`  ${formatVerdict(verdict)}`);
  return `${lines.join('\n')}\n`;
}

/** One line: what was compared, the limit, and whether it holds. */
export function formatVerdict(verdict: Verdict): string {
  const { figure, candidate, against, atMost, atLeast, median, ratio, isMet } = verdict;
  const { beyond, beyondAtMost } = verdict;
  const value =
    ratio === undefined ? round(median) : `${round(ratio)} times ${against ?? ''}`.trim();
  const limit =
    (atMost === undefined ? '' : `, at most ${atMost}`) +
    (atLeast === undefined ? '' : `, at least ${atLeast}`) +
    (beyond === undefined ? '' : `, ${round(beyond)} more, at most ${beyondAtMost ?? 0} more`);
  const mark = limit === '' ? '' : isMet ? ': met' : ': MISSED';
  return `${candidate} ${figure}: ${value}${limit}${mark}`;
}

/** Four significant digits. */
function round(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
