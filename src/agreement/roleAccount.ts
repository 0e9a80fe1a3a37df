/** Lines of the history, and problems that are raised once and ended once. */
import { extend, type Account, type AgreementStep } from './agreementActions.js';
import { silenceLimit } from './limits.js';
import type { AgreementSettings } from './settings.js';
import { statementOf } from './views.js';

/** One line: the rule, the reason, and what was known. */
export function tell(
  step: AgreementStep,
  rule: number,
  because: string,
  settings: AgreementSettings,
): AgreementStep {
  return extend(step, {}, { kind: 'history', account: accountOf(step, rule, because, settings) });
}

function accountOf(
  { state }: AgreementStep,
  rule: number,
  because: string,
  settings: AgreementSettings,
): Account {
  const own = state.silence?.answers ?? state.doubt?.answers;
  const peers = Object.entries(state.peers).flatMap(([name, { said }]) =>
    said === undefined || Object.keys(said.reach).length === 0 ? [] : [[name, said.reach] as const],
  );
  return {
    rule,
    because,
    paths: statementOf(state, settings).hears,
    limits: Object.fromEntries(
      Object.entries(state.peers).map(([name, peer]) => [
        name,
        silenceLimit(state, peer, settings),
      ]),
    ),
    evidence: {
      ...(own === undefined ? {} : { own }),
      ...(peers.length === 0 ? {} : { peers: Object.fromEntries(peers) }),
    },
  };
}

export function raise(step: AgreementStep, code: string, text: string): AgreementStep {
  const { problems } = step.state;
  if (problems.includes(code)) return step;
  return extend(step, { problems: [...problems, code] }, { kind: 'raiseProblem', code, text });
}

export function end(step: AgreementStep, code: string): AgreementStep {
  const { problems } = step.state;
  if (!problems.includes(code)) return step;
  const left = problems.filter((other) => other !== code);
  return extend(step, { problems: left }, { kind: 'endProblem', code });
}
