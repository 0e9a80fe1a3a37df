/**
 * Whether the external cache equals the peer's internal one. The peer tells count and fingerprint as of a
 * sequence number; they are compared at the moment when exactly the messages before it have been applied.
 * One mismatch may be a message that is being asked for again, so several in a row count.
 */
import { seconds, subtractTime, type Microseconds } from '../base/time.js';
import type { Parity } from './messages.js';
import type { PeerMessage } from './wire/peerMessage.js';

type Digest = Extract<PeerMessage, { kind: 'digest' }>;

const mismatchesThatCount = 3;
const firstPause = seconds(10);
const longestPause = seconds(300);
/** A digest older than this says nothing. */
const freshness = seconds(15);

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
  #healedAt: Microseconds | undefined;
  #pause = firstPause;

  digest(message: Digest): void {
    this.#pending = message;
    this.unknownBecause = undefined;
  }

  /** The peer holds nothing to compare with: what counts is whether messages were `lost`, since the start. */
  noDigest(because: string, lost: number): void {
    this.reset();
    this.unknownBecause = because;
    this.#lost = lost;
  }

  /** `last`: number of the last accepted message. `mine` is asked only when the moment has come. */
  compare(last: number | undefined, mine: () => CacheDigest, now: Microseconds): void {
    const digest = this.#pending;
    if (digest === undefined || last !== (digest.sequence - 1) >>> 0) return;
    this.#pending = undefined;
    this.#comparedAt = now;
    const own = mine();
    if (own.count === digest.count && own.high === digest.high && own.low === digest.low) {
      this.#mismatches = 0;
      this.#parity = 'equal';
      this.#pause = firstPause;
      return;
    }
    this.#mismatches++;
    if (this.#mismatches >= mismatchesThatCount) this.#parity = 'different';
  }

  parity(now: Microseconds): Parity {
    const at = this.#comparedAt;
    if (at === undefined || subtractTime(now, at) > freshness) return 'unknown';
    return this.#parity;
  }

  /** True when the peer should be asked for everything; with growing pauses, where that does not help. */
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
    this.#pending = undefined;
    this.#mismatches = 0;
    this.#parity = 'unknown';
    this.#comparedAt = undefined;
    this.unknownBecause = undefined;
  }
}
