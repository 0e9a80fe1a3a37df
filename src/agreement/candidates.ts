/** Rule 7: of several nodes that could take the role each waits for the better ones. */
import type { Microseconds } from '../base/time.js';
import type { AgreementState } from './agreementState.js';
import type { AgreementSettings } from './settings.js';
import { candidateOrder, isAble, lastResortOrder, ownCandidate, speakers } from './views.js';

/** Of the others that speak, how many come before this node. */
export function betterCandidates(
  state: AgreementState,
  except: string,
  at: Microseconds,
  settings: AgreementSettings,
): number {
  const own = ownCandidate(state, settings);
  const isOwnAble = isAble(own);
  const order = isOwnAble ? candidateOrder : lastResortOrder;
  return speakers(state, at, settings).filter(
    ([name, says]) => name !== except && (isAble(says) || !isOwnAble) && order(says, own) > 0,
  ).length;
}

/** What a third node hears of the MASTER counts as a path, one hop. */
export function isHeardByOthers(
  state: AgreementState,
  master: string,
  at: Microseconds,
  settings: AgreementSettings,
): boolean {
  return speakers(state, at, settings).some(
    ([name, { hears }]) =>
      name !== master && Object.values(hears[master] ?? {}).some((heard) => heard === 'living'),
  );
}
