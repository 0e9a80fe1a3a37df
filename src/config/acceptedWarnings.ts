/**
 * `accept_warning CODE ["reason"]`: an operator says that he knows. It holds for every warning of
 * that code in the configuration: what is accepted is a way of working (clear-text passwords
 * towards keepalived, say), and an acceptance that names places would be wrong again after each
 * edit.
 */
import { nearestWord } from './nearest.js';
import type { ConfigProblem } from './problem.js';
import { quoteWord } from './table/printRows.js';
import type { ValueType } from './table/row.js';
import { isWarningCode, warningCodes, type WarningCode } from './warningCodes.js';

export interface Acceptance {
  readonly code: WarningCode;
  readonly reason?: string;
}

/** A warning that the operator has accepted. */
export interface AcceptedWarning {
  readonly problem: ConfigProblem;
  readonly reason?: string;
}

export const acceptance: ValueType<Acceptance> = {
  name: 'CODE ["reason"]',
  minWords: 1,
  maxWords: 2,
  parse: ({ words: [code, reason] }, { problems }) => {
    if (code === undefined) return undefined;
    if (isWarningCode(code.text)) {
      return { code: code.text, ...(reason === undefined ? {} : { reason: reason.text }) };
    }
    const nearest = nearestWord(code.text, Object.keys(warningCodes));
    problems.error(code.at, 'bad-value', `no warning has the code '${code.text.slice(0, 60)}'`, {
      expected: 'the word in [brackets] behind a warning; errors cannot be accepted',
      ...(nearest === undefined ? {} : { nearest }),
    });
    return undefined;
  },
  print: ({ code, reason }) => ({
    words: reason === undefined ? [code] : [code, quoteWord(reason)],
  }),
};

export interface Judged {
  readonly problems: readonly ConfigProblem[];
  readonly accepted: readonly AcceptedWarning[];
}

/**
 * Takes the accepted warnings out of `all`. Of several acceptances of a code the last one counts.
 */
export function judge(all: readonly ConfigProblem[], acceptances: readonly Acceptance[]): Judged {
  const byCode = new Map<string, Acceptance>(acceptances.map((one) => [one.code, one]));
  const problems: ConfigProblem[] = [];
  const accepted: AcceptedWarning[] = [];
  for (const problem of all) {
    const found = problem.severity === 'warning' ? byCode.get(problem.code) : undefined;
    if (found === undefined) problems.push(problem);
    else {
      const { reason } = found;
      accepted.push({ problem, ...(reason === undefined ? {} : { reason }) });
    }
  }
  return { problems, accepted };
}
