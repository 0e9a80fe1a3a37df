/**
 * One kind of problem that `status` can show: what docs/problems.md, the text and the JSON say of
 * it.
 */

export type Severity = 'error' | 'warning';

export interface ProblemRow {
  readonly severity: Severity;
  /**
   * It counts (exit 1) after its end too, for an hour or until it is acknowledged: something was
   * lost or split.
   */
  readonly isLasting?: true;
  /** When it begins and when it ends: one sentence each, for the operator. */
  readonly begins: string;
  readonly ends: string;
  /** What to do, in the imperative. A finding may give a more precise one. */
  readonly remedy: string;
}

export type ProblemRows = Readonly<Record<string, ProblemRow>>;
