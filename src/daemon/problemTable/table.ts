/**
 * Every problem that `status` can show, by its code: severity, whether it lasts, when it begins and
 * ends, what to do. The one place for these words: docs/problems.md is made from it (npm run
 * docs:problems). Codes are stable, new ones are added.
 */
import type { Microseconds } from '../../base/time.js';
import type { Problem } from '../../control/statusAnswer.js';
import { clusterRows } from './clusterRows.js';
import { machineRows } from './machineRows.js';
import type { ProblemRow, Severity } from './row.js';
import { syncRows } from './syncRows.js';
import { vrrpRows } from './vrrpRows.js';

/** In the order of docs/problems.md. */
export const problemSections = [
  { title: 'Two nodes together', rows: clusterRows },
  { title: 'Roles, addresses and advertisements', rows: vrrpRows },
  { title: 'Replication', rows: syncRows },
  { title: 'Machine and process', rows: machineRows },
] as const;

export type ProblemCode =
  | keyof typeof clusterRows
  | keyof typeof vrrpRows
  | keyof typeof syncRows
  | keyof typeof machineRows;

export const problemTable: Readonly<Record<ProblemCode, ProblemRow>> = {
  ...clusterRows,
  ...vrrpRows,
  ...syncRows,
  ...machineRows,
};

/** A problem that is seen now. */
export interface Finding extends Problem {
  /** It begins when it was seen that long without a break; absent: at once. */
  readonly after?: Microseconds;
}

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemTable, code);
}

/**
 * What is more precise than the row. `subject` tells two problems of one code apart: an instance, a
 * link, a table.
 */
export interface ProblemDetail {
  readonly subject?: string;
  readonly severity?: Severity;
  readonly remedy?: string;
  readonly after?: Microseconds;
}

/**
 * `text` is a sentence about what is seen now. Severity and remedy are the row's where `detail` has
 * none.
 */
export function problem(code: ProblemCode, text: string, detail: ProblemDetail = {}): Finding {
  const { severity, remedy } = problemTable[code];
  return { severity, code, text, remedy, ...detail };
}
