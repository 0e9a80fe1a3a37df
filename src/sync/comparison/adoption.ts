/**
 * Which flows a MASTER commits that a returning peer tells as its own. The peer was MASTER before,
 * in this life of its process or in an earlier one of the same boot, and says so; this node may
 * have taken the role without its flows. Only what can have been: the peer's time as MASTER ended
 * before this node's began, and the offer stands for a minute.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { EndedKeys } from './endedKeys.js';
import { partOf } from '../wire/keyDigests.js';

/** A successor begins while the one before it ends. */
const succession = seconds(3);
const window = seconds(60);
/** The same claim, told again with a clock that goes on. */
const sameClaim = seconds(2);

export class FormerMaster {
  #endedAt: Microseconds | undefined;
  #saidAt: Microseconds | undefined;
  #isSaid = false;

  /**
   * The peer says that it was MASTER until `endedAt`; undefined: it has nothing left of that, or is
   * MASTER again.
   */
  said(endedAt: Microseconds | undefined, now: Microseconds): void {
    this.#isSaid = endedAt !== undefined;
    if (endedAt === undefined) return;
    const known = this.#endedAt;
    if (known !== undefined && Math.abs(known - endedAt) < sameClaim) return;
    this.#endedAt = endedAt;
    this.#saidAt = now;
  }

  /** Whether its flows may be committed by a node that is MASTER since `masterSince`. */
  isOpen(now: Microseconds, masterSince: Microseconds): boolean {
    if (!this.#isSaid || this.#endedAt === undefined || this.#saidAt === undefined) return false;
    if (subtractTime(now, this.#saidAt) >= window) return false;
    return subtractTime(this.#endedAt, masterSince) <= succession;
  }

  /** A new incarnation of the peer, or none: it says so again. */
  forget(): void {
    this.#isSaid = false;
    this.#endedAt = undefined;
    this.#saidAt = undefined;
  }
}

/** What is known of a flow that the peer tells. */
export interface ToldFlow {
  /** This node's kernel has it. */
  readonly isHeld: boolean;
  readonly hash: number;
  readonly rest: number;
  /** When the peer told of it last, monotonic seconds. */
  readonly toldAt: number;
}

/**
 * Not where this node has it or ended it, nor where that cannot be told any more, nor what it knew
 * when it took the role and was not told since.
 */
export function isAdopted(flow: ToldFlow, ended: EndedKeys, masterSinceSeconds: number): boolean {
  if (flow.isHeld || flow.toldAt < masterSinceSeconds) return false;
  return !ended.has(flow.hash, flow.rest) && ended.isComplete(partOf(flow.hash));
}
