/** Why a received advertisement was refused, or accepted with a complaint, kept for `status`. */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { ProofFailure } from '../auth/proof.js';
import type { CounterName } from './counters.js';

/** Names the check that failed, in the order of the checks (acceptance.ts). */
export type RejectionReason =
  | 'authHmac'
  | 'authMissing'
  | ProofFailure
  | 'length'
  | 'noAddress'
  | 'ttl'
  | 'version'
  | 'invalidAuthenticationType'
  | 'authenticationType'
  | 'password'
  | 'interval'
  | 'packetType'
  | 'totalLength'
  | 'checksum'
  | 'destination'
  | 'addressCount'
  | 'addressList'
  | 'unicastSource'
  | 'unicastTtl'
  | 'ownAddress';

/** Things that are wrong in the neighbourhood although nothing was refused. */
export type ComplaintReason = RejectionReason | 'twoAddressOwners';

/** `text` is a sentence for the operator. `count` since start; instants are monotonic. */
export interface Problem {
  readonly reason: ComplaintReason;
  readonly text: string;
  readonly first: Microseconds;
  readonly last: Microseconds;
  readonly count: number;
  /** When it was last given to the log. */
  readonly reported: Microseconds;
}

export type Problems = Readonly<Partial<Record<ComplaintReason, Problem>>>;

/**
 * What acceptance and the machine find wrong; `counter` is absent where keepalived counts nothing.
 */
export interface Finding {
  readonly reason: ComplaintReason;
  readonly text: string;
  readonly counter: CounterName | undefined;
}

const reportPeriod = seconds(60);

/** Adds `finding` to `problems`. `isNews`: it is time to log it. */
export function noteProblem(
  problems: Problems,
  finding: Finding,
  at: Microseconds,
): { readonly problems: Problems; readonly problem: Problem; readonly isNews: boolean } {
  const known = problems[finding.reason];
  const isNews = known === undefined || subtractTime(at, known.reported) >= reportPeriod;
  const problem: Problem = {
    reason: finding.reason,
    text: finding.text,
    first: known?.first ?? at,
    last: at,
    count: (known?.count ?? 0) + 1,
    reported: isNews ? at : known.reported,
  };
  return { problems: { ...problems, [finding.reason]: problem }, problem, isNews };
}
