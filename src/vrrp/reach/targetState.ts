/**
 * What the probes of a target have shown: one state per address, and the verdict of all of them.
 * Pure.
 */
import type { Microseconds } from '../../base/time.js';
import { afterResult, initialRiseFall, type RiseFall } from '../tracking/riseFall.js';

/** `blind`: its answer could not have been seen (the socket was flooded). */
export type ProbeOutcome = 'answered' | 'lost' | 'blind';

export interface AddressState {
  readonly riseFall: RiseFall;
  /** Before the first verdict: losses that follow each other. */
  readonly firstLosses: number;
  /** The probe that was sent last among those that are decided. */
  readonly latest?: { readonly sentAt: Microseconds; readonly isAnswered: boolean };
  /** Why it cannot be asked. */
  readonly unable?: string;
  /** When the verdict, or `unable`, began. */
  readonly since: Microseconds;
}

interface Limits {
  readonly rise: number;
  readonly fall: number;
}

export function initialAddress(at: Microseconds): AddressState {
  return { riseFall: initialRiseFall(false), firstLosses: 0, since: at };
}

/** The first answer makes it good; a first loss alone says nothing yet, `fall` of them do. */
export function afterProbe(
  state: AddressState,
  probe: { readonly sentAt: Microseconds; readonly outcome: ProbeOutcome },
  limits: Limits,
  at: Microseconds,
): AddressState {
  const { sentAt, outcome } = probe;
  if (outcome === 'blind') return state;
  const isAnswered = outcome === 'answered';
  const isUnknown = state.riseFall.verdict === 'unknown';
  const firstLosses = isAnswered || !isUnknown ? 0 : state.firstLosses + 1;
  const waits = isUnknown && !isAnswered && firstLosses < limits.fall;
  const riseFall = waits ? state.riseFall : afterResult(state.riseFall, isAnswered, limits);
  const { latest } = state;
  const isLatest = latest === undefined || sentAt >= latest.sentAt;
  const hasChanged = state.unable !== undefined || riseFall.verdict !== state.riseFall.verdict;
  return {
    riseFall,
    firstLosses,
    latest: isLatest ? { sentAt, isAnswered } : latest,
    since: hasChanged ? at : state.since,
  };
}

/** The kernel refuses its probes: what was known of it stays. */
export function becomeUnable(state: AddressState, why: string, at: Microseconds): AddressState {
  return {
    ...state,
    unable: why,
    since: state.unable === undefined ? at : state.since,
  };
}

export type AddressVerdict = 'unknown' | 'good' | 'bad' | 'unable';

export function addressVerdict({ riseFall, unable }: AddressState): AddressVerdict {
  if (unable !== undefined) return 'unable';
  return riseFall.verdict === 'disabled' ? 'unable' : riseFall.verdict;
}

/**
 * `good` and `bad` where those that are not decided cannot change it; else `unknown` while one is
 * still to be decided, and `unable` where those that cannot be asked matter.
 */
export function targetVerdict(states: readonly AddressState[], required: number): AddressVerdict {
  const count = (wanted: AddressVerdict): number =>
    states.filter((state) => addressVerdict(state) === wanted).length;
  const [good, unknown, unable] = [count('good'), count('unknown'), count('unable')];
  if (good >= required) return 'good';
  if (good + unknown >= required) return 'unknown';
  return good + unknown + unable >= required ? 'unable' : 'bad';
}

/** The last probes of too many addresses were lost: the target may be. */
export function isInDoubt(states: readonly AddressState[], required: number): boolean {
  const lost = states.filter(({ latest }) => latest?.isAnswered === false).length;
  return states.length - lost < required;
}

/** Whether enough addresses answered the last of the probes that were sent after `since`. */
export function isAnsweredSince(
  states: readonly AddressState[],
  required: number,
  since: Microseconds,
): boolean {
  const answered = states.filter(
    ({ latest }) => latest !== undefined && latest.isAnswered && latest.sentAt > since,
  );
  return answered.length >= required;
}
