/** What doctor says. */
export interface Finding {
  /** `unknown`: it could not be found out, which is no all-clear. */
  readonly severity: 'error' | 'warning' | 'unknown';
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
}
