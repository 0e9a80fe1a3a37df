/** What is remembered of a problem, on disk too: when it began, ended and was acknowledged. */
import type { Microseconds } from '../../base/time.js';
import type { Problem } from '../../control/statusAnswer.js';

/** `ended` and `acknowledged`: absent where it was not. Microseconds since 1970. */
export interface ProblemRecord {
  readonly problem: Problem;
  readonly begun: Microseconds;
  readonly ended?: Microseconds;
  readonly acknowledged?: Microseconds;
  readonly times: number;
}
