/**
 * The internal cache that holds every flow of this node: a bulk and a comparison read it and not
 * the kernel.
 */
import type { Expectation } from '../../conntrack/codec/expectation.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import type { ExpectationEntry } from '../tables/expectations.js';
import type { FingerprintedTable } from '../tables/fingerprintedTable.js';
import { InternalCache } from './internalCache.js';

export class CachedInternal extends InternalCache {
  get fullTable(): FingerprintedTable {
    return this.table;
  }

  acknowledged(slot: number): void {
    if (this.table.lifecycle(slot) === lifecycle.dead) this.removeSlot(slot);
  }

  acknowledgedExpectation(entry: ExpectationEntry): void {
    if (entry.lifecycle === lifecycle.dead) this.removeExpectation(entry);
  }

  comparisonEnded(): void {
    // Every flow stays.
  }

  protected counts(): boolean {
    return true;
  }

  /** A dump during a commit ahead is not made (`KernelWatchParts.isHeld`). */
  protected leavesOut(): boolean {
    return false;
  }

  protected eventHeard(): void {
    // The newest content stands in the table.
  }

  protected keptFromPeer(): void {
    // The flow stays.
  }

  protected endedExpectation(content: Expectation): ExpectationEntry | undefined {
    return this.expectations.find(content);
  }
}
