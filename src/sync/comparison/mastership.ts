/**
 * That this node is MASTER, as the replication sees it: since when, whether its takeover is
 * complete, and what it has ended since. The memory of what ended is kept until the peer has
 * nothing left over, or the role is lost.
 */
import type { Microseconds, RandomSource } from '../../base/time.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { EndedKeys } from './endedKeys.js';
import { newKeySeeds } from '../tables/flowKeyHash.js';

/** The cache whose flows this node serves, and that end here. */
export interface EndingCache {
  setServing(isServing: boolean): void;
  onEnded(listener: ((flow: FlowCursor) => void) | undefined): void;
}

export class Mastership {
  readonly #random: RandomSource;
  readonly #cache: EndingCache;
  #since: Microseconds | undefined;
  #isComplete = false;
  #isKnown = false;
  #ended: EndedKeys;
  /**
   * The peer has nothing left over: what ends now is told to it, and nothing needs to be
   * remembered.
   */
  #isConfirmed = false;

  /** `before`: of an engine that has ended; the role goes on. */
  constructor(random: RandomSource, cache: EndingCache, before?: Mastership) {
    this.#random = random;
    this.#cache = cache;
    this.#ended = before?.ended ?? new EndedKeys(newKeySeeds(random));
    if (before === undefined) return;
    this.#isKnown = before.#isKnown;
    this.#since = before.#since;
    this.#isComplete = before.#isComplete;
    this.#isConfirmed = before.#isConfirmed;
    if (this.#isKnown) cache.setServing(this.#since !== undefined);
    if (this.#since !== undefined) this.#remember();
  }

  /** undefined while this node is not MASTER. */
  get since(): Microseconds | undefined {
    return this.#since;
  }

  /** Its kernel has all that was there to take over. */
  get isComplete(): boolean {
    return this.#since !== undefined && this.#isComplete;
  }

  /** A role was given at all. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get ended(): EndedKeys {
    return this.#ended;
  }

  begin(now: Microseconds): void {
    this.#isKnown = true;
    this.#isComplete = false;
    this.#cache.setServing(true);
    if (this.#since !== undefined) return;
    this.#since = now;
    this.#isConfirmed = false;
    this.#ended = new EndedKeys(newKeySeeds(this.#random));
    this.#remember();
  }

  complete(): void {
    this.#isComplete = true;
  }

  end(): void {
    const was = this.#since !== undefined;
    this.#isKnown = true;
    this.#since = undefined;
    this.#isComplete = false;
    this.#cache.setServing(false);
    this.#cache.onEnded(undefined);
    if (was) this.#ended = new EndedKeys(this.#ended.seeds);
  }

  /** The peer says that it has no leftovers: its purge is over. */
  peerHasNone(): void {
    if (this.#since === undefined || this.#isConfirmed) return;
    this.#isConfirmed = true;
    this.#ended = new EndedKeys(this.#ended.seeds);
  }

  /** The peer has leftovers, again: it may have been MASTER meanwhile. */
  peerHasSome(): void {
    this.#isConfirmed = false;
  }

  #remember(): void {
    this.#cache.onEnded((flow) => {
      if (!this.#isConfirmed) this.#ended.add(flow);
    });
  }
}
