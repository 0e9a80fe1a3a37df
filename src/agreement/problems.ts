/** What an operator is to know now, from the state alone; and when a moved role may move again. */
import type { Microseconds } from '../base/time.js';
import { end, raise } from './roleAccount.js';
import { extend, startTimer, stopTimer, type AgreementStep } from './agreementActions.js';
import type { AgreementState } from './agreementState.js';
import type { AgreementSettings } from './settings.js';
import { isAble, isHeard, livingMaster, speakers } from './views.js';

/** After each event. */
export function settleProblems(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { own } = step.state;
  const standby = tellStandby(step, at, settings);
  const split = tellSplit(standby, settings);
  const served = own.role === 'MASTER' || livingMaster(split.state, at, settings) !== undefined;
  const ended = served ? end(split, 'no-master') : split;
  const isLastResort = own.role === 'MASTER' && own.isLastResort;
  return isLastResort ? ended : end(ended, 'last-resort');
}

function tellStandby(
  step: AgreementStep,
  at: Microseconds,
  settings: AgreementSettings,
): AgreementStep {
  const { state } = step;
  const stands = speakers(state, at, settings).some(
    ([, says]) => isAble(says) && says.isSynchronised && says.role === 'BACKUP',
  );
  if (state.own.role !== 'MASTER' || stands) return end(step, 'no-standby');
  return raise(step, 'no-standby', 'no peer is known that could take the role with its flows');
}

function tellSplit(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const missing = silentWays(step.state, settings);
  if (missing.length === 0) return end(step, 'split');
  return raise(step, 'split', `${missing.join(', ')}, while another path lives`);
}

/** Each path of a peer that lives on another, with the direction that fails. */
function silentWays({ peers }: AgreementState, { node }: AgreementSettings): readonly string[] {
  return Object.entries(peers).flatMap(([name, peer]) => {
    if (!isHeard(peer)) return [];
    const there = peer.said?.hears[node] ?? {};
    return Object.entries(peer.paths).flatMap(([path, { state }]) => {
      const isHere = state === 'silent' || state === 'down';
      const isThere = there[path] === 'silent';
      if (isHere && isThere) return [`${path} carries nothing from or to ${name}`];
      if (isHere) return [`${path} carries nothing from ${name}`];
      return isThere ? [`${path} carries nothing to ${name}`] : [];
    });
  });
}

/** The hold of rule 3 ends when its segments were whole for `rise`. */
export function watchRise(
  before: AgreementState,
  step: AgreementStep,
  { rise }: AgreementSettings,
): AgreementStep {
  const [was, is] = [isRising(before), isRising(step.state)];
  if (was === is) return step;
  return extend(step, {}, is ? startTimer('rise', rise) : stopTimer('rise'));
}

function isRising({ holds, peers }: AgreementState): boolean {
  if (holds.segments.length === 0) return false;
  return Object.values(peers).some(({ paths }) =>
    holds.segments.every((segment) => paths[segment]?.state === 'living'),
  );
}
