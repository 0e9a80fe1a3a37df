/**
 * Whether the loss of a target counts for this node. It counts where only this node has lost it;
 * what both have lost moves nothing. Pure; the cases stand in test/vrrp/reach/comparison.test.ts.
 *
 * Without comparing clocks: at the first lost probe this node raises a question with a number of
 * its own. The peer answers with that number once a probe that the peer sent after it heard the
 * question was answered, or the peer has lost the target too.
 */
import { subtractTime, type Microseconds } from '../../base/time.js';
import type { AddressVerdict } from './targetState.js';

export type Answer =
  /** The last of the probes that were sent after the question was answered. */
  | 'answered'
  | 'lost'
  /** The peer cannot ask: no source address, no route, a firewall rule. */
  | 'unable'
  /** The peer has no target of that name. */
  | 'untracked';

export type PeerStanding =
  /** There was never a keepstate peer, or it is one that compares no targets. */
  | { readonly kind: 'none' }
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'present';
      /** It is BACKUP or MASTER, and not in maintenance. */
      readonly canServe: boolean;
      /** To the current question; undefined: not yet. */
      readonly answer: Answer | undefined;
    };

export interface OwnView {
  readonly verdict: AddressVerdict;
  /** Another router is heard as MASTER now. */
  readonly hearsMaster: boolean;
}

/** For people and programs: `status --json` has these words. */
export type Standing =
  | 'reached'
  | 'unknown'
  | 'unable'
  /** Counts, as a tracker does in keepalived: nobody can be asked. */
  | 'lost'
  /** Counts: the peer reaches it. */
  | 'lost-here-only'
  | 'lost-by-both'
  | 'peer-not-heard-yet'
  | 'peer-unable'
  | 'peer-silent'
  | 'peer-cannot-serve'
  /** Reached again, and counts until `reach_hold` is over. */
  | 'held';

export interface Comparison {
  /** A fault, or the weight of what is lost. */
  readonly counts: boolean;
  /** Since when it counts. */
  readonly since?: Microseconds;
  readonly standing: Standing;
  /** When it counted last, where that ended by answers. */
  readonly endedAt?: Microseconds;
  /** How often in a row it counted again soon after that: each time the hold grows. */
  readonly repeats?: number;
}

export const uncounted: Comparison = { counts: false, standing: 'unknown' };

/** The hold of a repetition: 30 s, 2 minutes, 8 minutes, 32 minutes. */
const growth = 4;
const mostRepeats = 3;
/** A loss within so many holds after the last end is a repetition. */
const holdsOfMemory = 20;

/**
 * What was decided stays decided until the target is reached again, or nobody else could have the
 * role: a peer that loses it later changes nothing, and the role does not come back.
 */
export function compare(
  before: Comparison,
  own: OwnView,
  peer: PeerStanding,
  at: Microseconds,
  hold: Microseconds,
): Comparison {
  if (peer.kind === 'none') return withoutComparison(before, own, at);
  if (before.counts) return stillCounts(before, own, peer, at, hold);
  if (own.verdict !== 'bad') return resting(before, own.verdict);
  const standing = whereLost(peer);
  if (standing !== 'lost' && standing !== 'lost-here-only') return rest(before, standing);
  const { endedAt, repeats = 0 } = before;
  const isAgain = endedAt !== undefined && subtractTime(at, endedAt) < hold * holdsOfMemory;
  const counted = { counts: true, since: at, standing } as const;
  return isAgain ? { ...counted, repeats: Math.min(mostRepeats, repeats + 1) } : counted;
}

/** As keepalived counts a track_script. */
function withoutComparison(before: Comparison, own: OwnView, at: Microseconds): Comparison {
  if (own.verdict !== 'bad') return resting({ counts: false, standing: 'unknown' }, own.verdict);
  return { counts: true, since: before.since ?? at, standing: 'lost' };
}

function whereLost(peer: Exclude<PeerStanding, { kind: 'none' }>): Standing {
  if (peer.kind === 'silent') return 'peer-silent';
  const { answer, canServe } = peer;
  switch (answer) {
    case undefined:
      return 'peer-not-heard-yet';
    case 'lost':
      return 'lost-by-both';
    case 'unable':
      return 'peer-unable';
    case 'answered':
      return canServe ? 'lost-here-only' : 'peer-cannot-serve';
    case 'untracked':
      return canServe ? 'lost' : 'peer-cannot-serve';
  }
}

function stillCounts(
  before: Comparison,
  own: OwnView,
  peer: Exclude<PeerStanding, { kind: 'none' }>,
  at: Microseconds,
  hold: Microseconds,
): Comparison {
  const canServe = peer.kind === 'present' && peer.canServe;
  if (!canServe && !own.hearsMaster) {
    const standing = peer.kind === 'silent' ? 'peer-silent' : 'peer-cannot-serve';
    return rest(before, own.verdict === 'good' ? 'reached' : standing);
  }
  if (own.verdict !== 'good') {
    const isLostByBoth = peer.kind === 'present' && peer.answer === 'lost';
    const standing = isLostByBoth ? 'lost-by-both' : before.standing;
    return { ...before, standing: standing === 'held' ? 'lost-here-only' : standing };
  }
  const age = subtractTime(at, before.since ?? at);
  if (age < hold * growth ** (before.repeats ?? 0)) return { ...before, standing: 'held' };
  return { ...rest(before, 'reached'), endedAt: at };
}

function resting(before: Comparison, verdict: Exclude<AddressVerdict, 'bad'>): Comparison {
  return rest(before, verdict === 'good' ? 'reached' : verdict);
}

/** Does not count; what is remembered of earlier times stays. */
function rest({ endedAt, repeats }: Comparison, standing: Standing): Comparison {
  return {
    counts: false,
    standing,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(repeats === undefined ? {} : { repeats }),
  };
}
