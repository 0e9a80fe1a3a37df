/**
 * The flows of a node that replicates nothing: conntrackd's cache `stats`. It says which
 * connections were known before they ended; the end of another one is no line.
 */
import type { EventMessage } from '../../conntrack/kernel/kernelEvents.js';
import type { FlowOrigin, MirrorListener } from '../../conntrack/kernel/mirrorListener.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';
import type { EndedFlows } from '../local/endedFlows.js';
import { CacheCounters } from '../tables/cacheCounters.js';

export class StatisticsCache implements MirrorListener {
  readonly table: FlowTable;
  readonly counters = new CacheCounters();
  readonly #log: EndedFlows;
  readonly #event: () => EventMessage;
  readonly #cursor: FlowCursor;

  constructor(table: FlowTable, log: EndedFlows, event: () => EventMessage) {
    this.table = table;
    this.#log = log;
    this.#event = event;
    this.#cursor = table.newCursor();
  }

  created(): void {
    this.counters.created++;
  }

  updated(_slot: number, _changed: number, origin: FlowOrigin): void {
    if (origin === 'event') this.counters.updated++;
  }

  destroyed(slot: number, origin: FlowOrigin): void {
    this.counters.destroyed++;
    const flow = this.table.seek(slot, this.#cursor);
    this.#log.ended(flow, origin === 'event' ? this.#event() : undefined, false);
    this.table.remove(slot);
  }

  refused(): void {
    this.counters.createFailed++;
    this.counters.full++;
  }

  /** `-f internal`. Number of flows; the ends of these are not logged. */
  clear(): number {
    const entries = this.table.count;
    this.counters.destroyed += entries;
    this.table.clear();
    return entries;
  }
}
