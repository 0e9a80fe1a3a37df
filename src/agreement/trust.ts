/**
 * Rule 8: silence cannot be forged, so rule 1 asks for no key. Without one FAULT and a claim are
 * believed only from a VRRP segment, where whoever can send them can send priority 0; and a MASTER
 * that is heard on no segment is believed for one master-down more.
 */
import { subtractTime, type Microseconds } from '../base/time.js';
import { raise } from './roleAccount.js';
import type { AgreementStep } from './agreementActions.js';
import type { EventOf } from './agreementEvents.js';
import type { Peer } from './agreementState.js';
import type { AgreementSettings } from './settings.js';
import { segmentsOf } from './views.js';

export function isBelieved(
  { path, says }: EventOf<'statement'>,
  { hasKey, paths }: AgreementSettings,
): boolean {
  if (hasKey || (says.role !== 'FAULT' && says.claims === 0)) return true;
  return paths.find(({ name }) => name === path)?.kind === 'segment';
}

/** Sealed, or heard where its adverts could be: whoever sends there can send those too. */
export function isProven({ paths }: Peer, settings: AgreementSettings): boolean {
  if (settings.hasKey) return true;
  return segmentsOf(settings).some((segment) => paths[segment]?.state === 'living');
}

/** Whether what cannot be proven has kept VRRP from the role for long enough. */
export function trustIsOver(
  { state }: AgreementStep,
  master: string,
  at: Microseconds,
  settings: AgreementSettings,
): boolean {
  const { refusedSince, peers } = state;
  const peer = peers[master];
  if (refusedSince === undefined || peer === undefined || isProven(peer, settings)) return false;
  return subtractTime(at, refusedSince) >= settings.masterDown;
}

export function tellUntrusted(step: AgreementStep, master: string): AgreementStep {
  const text = `${master} says MASTER in beats without a key, and on no segment`;
  return raise(step, 'two-masters', `${text}: keepstate key new`);
}
