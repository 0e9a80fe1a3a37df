/**
 * DisableInternalCache: flows pass through. The table holds them until the peer has them, and
 * during a comparison also those that an event named, because the comparison may hold older news of
 * them.
 */
import type { Expectation } from '../../conntrack/codec/expectation.js';
import type { FlowOrigin } from '../../conntrack/kernel/mirrorListener.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import type { ExpectationEntry } from '../tables/expectations.js';
import { membership, membershipOf } from '../tables/slotQueue.js';
import { InternalCache } from './internalCache.js';

/** What an empty table may keep of its memory. */
const restingBytes = 2 << 20;

export class BypassedInternal extends InternalCache {
  /** Slots that an event named during the comparison that runs. */
  readonly #named = new Set<number>();

  get fullTable(): undefined {
    return undefined;
  }

  acknowledged(slot: number): void {
    const isDead = this.table.lifecycle(slot) === lifecycle.dead;
    if (isDead || (!this.#named.has(slot) && !this.delayed.has(slot))) this.removeSlot(slot);
  }

  acknowledgedExpectation(entry: ExpectationEntry): void {
    this.removeExpectation(entry);
  }

  comparisonEnded(): void {
    const named = [...this.#named];
    this.#named.clear();
    for (const slot of named) this.#forgetUnqueued(slot);
  }

  override tick(): void {
    super.tick();
    // A burst that waited here for the link leaves its memory behind.
    const { table } = this;
    if (table.count > 0 || table.memoryBytes <= restingBytes) return;
    table.clear();
    // Its slots are no more: an entry that was forgotten must not be looked up.
    this.delayed.clear();
  }

  /** No comparison finds it later: the peer is sent everything. */
  override refused(): void {
    super.refused();
    this.listener?.changeLost();
  }

  override removeSlot(slot: number): void {
    this.#named.delete(slot);
    super.removeSlot(slot);
  }

  override clear(withExpectations: boolean): void {
    this.#named.clear();
    super.clear(withExpectations);
  }

  /** What passes through is counted when its event comes, not when a dump shows it once more. */
  protected counts(origin: FlowOrigin): boolean {
    return origin === 'event';
  }

  /**
   * Flows of the peer that were committed in advance stand in the kernel, and a dump shows them.
   */
  protected leavesOut(slot: number): boolean {
    return this.stance !== 'own' && this.isPeersFlow(slot);
  }

  protected eventHeard(slot: number): void {
    if (this.feed.isComparing()) this.#named.add(slot);
  }

  protected keptFromPeer(slot: number): void {
    this.#forgetUnqueued(slot);
  }

  protected endedExpectation(
    content: Expectation,
    nowSeconds: number,
    isNews: boolean,
  ): ExpectationEntry | undefined {
    return isNews ? this.expectations.put(content, nowSeconds) : this.expectations.find(content);
  }

  #forgetUnqueued(slot: number): void {
    if (membershipOf(this.table, slot) === membership.none) this.acknowledged(slot);
  }
}
