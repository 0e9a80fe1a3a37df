/**
 * Whether the external cache equals the peer's internal one. The peer tells count and fingerprint
 * as of a sequence number; they are compared at the moment when exactly the messages before it have
 * been applied. One mismatch may be a message that is being asked for again, so several in a row
 * count.
 */
import { seconds, subtractTime, toSeconds, type Microseconds } from '../../base/time.js';
import type { Parity } from '../messages.js';
import type { PeerMessage } from '../wire/peerMessage.js';

type Digest = Extract<PeerMessage, { kind: 'digest' }>;

const mismatchesThatCount = 3;
const firstPause = seconds(10);
const longestPause = seconds(300);
/**
 * The peer tells a digest once a second while it is at rest: three that are overdue, and nothing is
 * known.
 */
const freshness = seconds(4);

const notCompared = 'the two caches were not compared yet';

const noExternal = 'DisableExternalCache is on: nothing is kept to compare';

export interface ParityView {
  readonly parity: Parity;
  /** Why it is unknown. */
  readonly parityBecause?: string;
  /** Monotonic times of the last comparison, and since when each of them found them equal. */
  readonly parityComparedAt?: Microseconds;
  readonly parityEqualSince?: Microseconds;
}

export interface CacheDigest {
  readonly count: number;
  readonly high: number;
  readonly low: number;
}

export class ParityCheck {
  /** Why the peer cannot say what it has. */
  unknownBecause: string | undefined;
  #lost = 0;
  /** What had been lost when the peer was last asked for everything. */
  #lostThen = 0;
  #pending: Digest | undefined;
  #mismatches = 0;
  #parity: Parity = 'unknown';
  #comparedAt: Microseconds | undefined;
  #equalSince: Microseconds | undefined;
  #healedAt: Microseconds | undefined;
  #pause = firstPause;

  digest(message: Digest): void {
    this.#pending = message;
    this.unknownBecause = undefined;
  }

  /**
   * The peer holds nothing to compare with: what counts is whether messages were `lost`, since the
   * start.
   */
  noDigest(because: string, lost: number): void {
    this.reset();
    this.unknownBecause = because;
    this.#lost = lost;
  }

  /** The peer knows that its internal cache may not be what its kernel holds. */
  peerDoubts(because: string): void {
    this.#forget();
    this.unknownBecause = because;
  }

  /**
   * This node's external cache lost flows otherwise than by the peer's word: the next difference
   * counts at once.
   */
  emptied(): void {
    this.#forget();
    this.#mismatches = mismatchesThatCount - 1;
  }

  /**
   * `last`: number of the last accepted message. `mine` is asked only when the moment has come.
   * Returns whether both are equal, undefined before that moment.
   */
  compare(
    last: number | undefined,
    mine: () => CacheDigest,
    now: Microseconds,
  ): boolean | undefined {
    const digest = this.#pending;
    if (digest === undefined || last !== (digest.sequence - 1) >>> 0) return undefined;
    this.#pending = undefined;
    const wasEqual = this.parity(now) === 'equal';
    this.#comparedAt = now;
    const own = mine();
    if (own.count === digest.count && own.high === digest.high && own.low === digest.low) {
      this.#mismatches = 0;
      if (!wasEqual) this.#equalSince = now;
      this.#parity = 'equal';
      this.#pause = firstPause;
      return true;
    }
    this.#mismatches++;
    if (this.#mismatches >= mismatchesThatCount) this.#parity = 'different';
    return false;
  }

  parity(now: Microseconds): Parity {
    const at = this.#comparedAt;
    if (at === undefined || subtractTime(now, at) > freshness) return 'unknown';
    return this.#parity;
  }

  /**
   * For the status. `doubt`: why this node's own internal cache may lack what its kernel holds, and
   * the peer with it.
   */
  view(now: Microseconds, hasExternal: boolean, doubt: string | undefined): ParityView {
    const because = hasExternal ? (doubt ?? this.#because(now)) : noExternal;
    const parity = because === undefined ? this.parity(now) : 'unknown';
    return {
      parity,
      ...(because === undefined ? {} : { parityBecause: because }),
      ...this.#times(parity),
    };
  }

  #times(parity: Parity): Pick<ParityView, 'parityComparedAt' | 'parityEqualSince'> {
    const [compared, since] = [this.#comparedAt, this.#equalSince];
    return {
      ...(compared === undefined ? {} : { parityComparedAt: compared }),
      ...(parity !== 'equal' || since === undefined ? {} : { parityEqualSince: since }),
    };
  }

  /** Why it is unknown; undefined where it is known. */
  #because(now: Microseconds): string | undefined {
    if (this.unknownBecause !== undefined) return this.unknownBecause;
    if (this.parity(now) !== 'unknown') return undefined;
    if (this.#comparedAt === undefined) return notCompared;
    const age = Math.round(toSeconds(subtractTime(now, this.#comparedAt)));
    return `the last comparison was ${age} s ago`;
  }

  /**
   * True when the peer should be asked for everything; with growing pauses, where that does not
   * help.
   */
  wantsResync(now: Microseconds): boolean {
    if (this.parity(now) !== 'different' && this.#lost === this.#lostThen) return false;
    if (this.#healedAt !== undefined && subtractTime(now, this.#healedAt) < this.#pause)
      return false;
    if (this.#healedAt !== undefined) {
      this.#pause = Math.min(longestPause, this.#pause * 2) as Microseconds;
    }
    this.#healedAt = now;
    this.#lostThen = this.#lost;
    return true;
  }

  reset(): void {
    this.#forget();
    this.unknownBecause = undefined;
  }

  #forget(): void {
    this.#pending = undefined;
    this.#mismatches = 0;
    this.#parity = 'unknown';
    this.#comparedAt = undefined;
  }
}
