/**
 * What is wrong with a configuration. Problems are values that are collected and reported all at
 * once; nothing in this room throws for what an operator wrote.
 */

import { printable } from '../base/printable.js';
import type { WarningCode } from './warningCodes.js';

/** Line and column count from 1; the column counts UTF-16 units. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An error has no safe meaning: the daemon does not start. A warning runs, but bites. */
export type Severity = 'error' | 'warning';

/**
 * How the text says what is taken, or wanted, in place of what it says now: for `migrate` and for
 * programs. It belongs to the problem's place unless it has one of its own (`at`).
 */
export type Fix = { readonly at?: Position } & (
  | /** The statement says nothing. */ { readonly kind: 'drop' }
    /** These words in place of the statement's line. */
  | { readonly kind: 'line'; readonly line: string }
  /** `to` in place of the word `from`, at the place or behind it in its line. */
  | { readonly kind: 'word'; readonly from: string; readonly to: string }
  /** More lines: first in the block that the statement opens, or behind the statement. */
  | { readonly kind: 'add'; readonly where: 'inside' | 'after'; readonly lines: readonly string[] }
);

export interface ConfigProblem {
  readonly severity: Severity;
  /** Stable, for programs: `unknown-keyword`, `out-of-range`, ... */
  readonly code: string;
  readonly message: string;
  /** What would have been right. */
  readonly expected?: string;
  /** The known word that is closest to the unknown one. */
  readonly nearest?: string;
  readonly fix?: Fix;
  /**
   * What keepalived or conntrackd did for the statement, and keepstate does not: «mails about role
   * changes».
   */
  readonly loses?: string;
  readonly at: Position;
}

export type ProblemDetails = Pick<ConfigProblem, 'expected' | 'nearest' | 'fix' | 'loses'>;

/** Beyond this many the rest is only counted: a wrong file type would otherwise fill the screen. */
const problemLimit = 1_000;

/** Collects problems in the order found; `all()` sorts them by place. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];
  #beyondLimit = 0;
  #errors = 0;

  error(at: Position, code: string, message: string, details: ProblemDetails = {}): void {
    this.#errors++;
    this.#add({ severity: 'error', code, message, ...details, at });
  }

  warning(at: Position, code: WarningCode, message: string, details: ProblemDetails = {}): void {
    this.#add({ severity: 'warning', code, message, ...details, at });
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** Whether an unknown word was taken for a misspelling of `keyword`. */
  hasUnknown(keyword: string): boolean {
    return this.#problems.some(
      ({ code, nearest }) => code === 'unknown-keyword' && nearest === keyword,
    );
  }

  /** True once so many were found that looking for more serves nobody. */
  get isFull(): boolean {
    return this.#problems.length >= problemLimit;
  }

  /** Sorted by file (in the order of first mention), line and column. */
  all(): readonly ConfigProblem[] {
    const order = new Map<string, number>();
    for (const { at } of this.#problems) if (!order.has(at.file)) order.set(at.file, order.size);
    const sorted = [...this.#problems].sort(
      (a, b) =>
        (order.get(a.at.file) ?? 0) - (order.get(b.at.file) ?? 0) ||
        a.at.line - b.at.line ||
        a.at.column - b.at.column,
    );
    const last = sorted.at(-1);
    if (this.#beyondLimit === 0 || last === undefined) return sorted;
    const message = `${this.#beyondLimit} further problems are not listed`;
    return [...sorted, { severity: 'error', code: 'too-many-problems', message, at: last.at }];
  }

  #add(problem: ConfigProblem): void {
    if (this.isFull) this.#beyondLimit++;
    else this.#problems.push({ ...problem, message: withoutKeys(problem.message) });
  }
}

/** Messages quote words of the file; one of them may be a key that stands in the wrong place. */
function withoutKeys(message: string): string {
  return message.replaceAll(/hex:[0-9a-f]+(\.\.\.)?/gi, 'hex:...');
}

/**
 * The lines for a person: one a problem, but a single one for all lines of a file that have no
 * effect here and ask for nothing. `check --json` has each with its reason.
 */
export function formatProblems(problems: readonly ConfigProblem[]): readonly string[] {
  const quiet = problems.filter(isQuiet);
  if (quiet.length < 2) return problems.map(formatProblem);
  const files = [...new Set(quiet.map(({ at }) => at.file))];
  return [
    ...problems.filter((problem) => !isQuiet(problem)).map(formatProblem),
    ...files.map((file) =>
      quietLine(
        file,
        quiet.filter(({ at }) => at.file === file),
      ),
    ),
  ];
}

function isQuiet({ severity, code, expected, fix }: ConfigProblem): boolean {
  return severity === 'warning' && code === 'no-effect' && !(expected ?? fix);
}

function quietLine(file: string, problems: readonly ConfigProblem[]): string {
  const words = problems.map(({ message, at }) => {
    const keyword = /^'([^']*)'/.exec(message)?.[1];
    return keyword === undefined ? `line ${at.line}` : `${keyword} (line ${at.line})`;
  });
  const what =
    problems.length === 1 ? 'has no effect here and asks' : 'have no effect here and ask';
  return `${file}: warning: ${words.join(', ')} ${what} for nothing [no-effect]`;
}

/**
 * `file:line:column: error: message; expected ...; did you mean ...? [code]`; `instead: ...` for
 * what is refused.
 */
export function formatProblem(problem: ConfigProblem): string {
  const { at, severity, message, expected, nearest, code } = problem;
  const parts = [`${at.file}:${at.line}:${at.column}: ${severity}: ${message}`];
  const word = code === 'not-supported' ? 'instead:' : 'expected';
  if (expected !== undefined) parts.push(`${word} ${expected}`);
  if (nearest !== undefined) parts.push(`did you mean '${nearest}'?`);
  return printable(`${parts.join('; ')} [${code}]`);
}
