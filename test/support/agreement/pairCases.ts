/**
 * The numbered cases of the agreement: two or three machines driven against each other, files of
 * JSON lines under test/conformance/agreement/cases.
 *
 *   {"case": "1: ...", "rule": "1: ...", "cluster": {...}, "must": {...}}   first; A is MASTER, all paths live
 *   {"do": "power A off", "ms": 0}                    words of faults.ts, at a time
 *   {"run": 5000}                                     until then; each role that changes follows
 *     {"out": {"ms": 127, "node": "B", "role": ...}}
 *   {"end": {...}}                                    who serves, for how long nobody or two did, problems
 *
 * `renderPairCase` writes `out` and `end` anew, never `must`.
 */
import { milliseconds } from '../../../src/base/time.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { happen } from './faults.js';
import type { Step } from './simulatedNode.js';

/** What the specification demands, by hand. */
export interface Must {
  /** Serves in the end; '': nobody. */
  readonly owner: string;
  /** Nobody served for at most so long. */
  readonly gapMs: number;
  readonly moves: number;
  /** Two served for at most so long. */
  readonly twoMs?: number;
  /** Raised in the end, at any node. */
  readonly problems?: readonly string[];
}

interface Head {
  readonly case: string;
  readonly rule: string;
  readonly cluster?: ClusterOptions;
  readonly must: Must;
}

type Line =
  | Head
  | { readonly do: string; readonly ms: number }
  | { readonly run: number }
  | { readonly out: unknown }
  | { readonly end: unknown };

export interface PairResult {
  readonly owners: readonly string[];
  readonly gapMs: number;
  readonly twoMs: number;
  readonly moves: number;
  readonly problems: Readonly<Record<string, readonly string[]>>;
}

/** Looks at who serves each so often. */
const look = milliseconds(5);

export class Observer {
  gap = 0;
  two = 0;
  #gapNow = 0;
  #twoNow = 0;

  constructor(cluster: Cluster) {
    const see = (): void => {
      const serving = cluster.nodes.filter((node) => node.serves).length;
      this.#gapNow = serving === 0 ? this.#gapNow + 5 : 0;
      this.#twoNow = serving > 1 ? this.#twoNow + 5 : 0;
      this.gap = Math.max(this.gap, this.#gapNow);
      this.two = Math.max(this.two, this.#twoNow);
      cluster.time.after(look, see);
    };
    see();
  }
}

export function runPairCase(
  text: string,
  step?: Step,
): {
  readonly head: Head;
  readonly result: PairResult;
  readonly rendered: string;
} {
  const written = text.split('\n').filter((line) => line.trim() !== '');
  const lines = written.map((line) => JSON.parse(line) as Line);
  const head = lines[0];
  if (head === undefined || !('case' in head)) throw new Error('a case begins with its title');
  const cluster = new Cluster({ ...head.cluster, ...(step === undefined ? {} : { step }) });
  cluster.begin();
  const begun = Math.round(cluster.time.now / 1_000);
  const observer = new Observer(cluster);
  const output: string[] = [written[0]?.trim() ?? ''];
  for (const [i, line] of lines.entries()) {
    if ('do' in line) {
      cluster.time.runUntil(milliseconds(begun + line.ms));
      output.push(...newLines(cluster, begun), written[i]?.trim() ?? '');
      happen(cluster, line.do);
    }
    if ('run' in line) {
      cluster.time.runUntil(milliseconds(begun + line.run));
      output.push(written[i]?.trim() ?? '', ...newLines(cluster, begun));
    }
  }
  const result = resultOf(cluster, observer);
  output.push(JSON.stringify({ end: result }));
  return { head, result, rendered: `${output.join('\n')}\n` };
}

/** The first demand that the case's end does not meet; undefined: it meets them. */
export function breaksMust(text: string, step?: Step): string | undefined {
  const { head, result } = runPairCase(text, step);
  const { owner, gapMs, moves, twoMs = Number.POSITIVE_INFINITY, problems = [] } = head.must;
  const raised = Object.values(result.problems).flat();
  const missing = problems.filter((code) => !raised.includes(code));
  if (result.owners.join(' ') !== owner) return `owner ${result.owners.join(' ')}`;
  if (result.gapMs > gapMs) return `nobody for ${result.gapMs} ms`;
  if (result.moves > moves) return `${result.moves} moves`;
  if (result.twoMs > twoMs) return `two for ${result.twoMs} ms`;
  return missing.length > 0 ? `no problem ${missing.join(' ')}` : undefined;
}

export function renderPairCase(text: string): string {
  return runPairCase(text).rendered;
}

const told = new WeakMap<Cluster, number>();

function newLines(cluster: Cluster, begun: number): readonly string[] {
  const from = told.get(cluster) ?? 0;
  told.set(cluster, cluster.lines.length);
  return cluster.lines
    .slice(from)
    .map((line) => `  ${JSON.stringify({ out: { ...line, ms: line.ms - begun } })}`);
}

function resultOf(cluster: Cluster, { gap, two }: Observer): PairResult {
  const problems = [...cluster.problems]
    .filter(([, codes]) => codes.size > 0)
    .map(([name, codes]) => [name, [...codes].sort()] as const);
  return {
    owners: cluster.nodes.filter((node) => node.serves).map(({ name }) => name),
    gapMs: gap,
    twoMs: two,
    moves: cluster.lines.filter(({ role }) => role === 'MASTER').length,
    problems: Object.fromEntries(problems.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
