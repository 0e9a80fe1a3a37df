/**
 * Keeps a table equal to the kernel's: applies events, and compares with a dump at start, after an
 * overrun, at intervals (PollSecs) and on request, while events go on. The comparison is mark and
 * sweep:
 *
 *   begin a generation -> dump: insert what is unknown, merge what no event has touched since, mark
 *                      -> sweep: what carries an older generation is not in the kernel any more
 *
 * Three rules keep the two sources from contradicting each other. A pass after an overrun begins
 * only when the event queue was read empty: what waited in it is older than the loss. A flow that
 * an event touched during the pass is not overwritten by the dump, whose bytes may be older. A flow
 * whose end was seen during the pass, or that is dying in the dump, is not brought back by a dump
 * entry with the same id.
 */
import { BugError } from '../../base/errors.js';
import {
  subtractTime,
  wholeSeconds,
  type Clock,
  type Microseconds,
  type Turns,
} from '../../base/time.js';
import type { FlowFilter } from '../flowFilter.js';
import {
  presenceBit,
  isDying,
  lifecycle,
  transientPresence,
  recordWord,
  type FlowCursor,
} from '../record/flowRecord.js';
import { keepAdjustments } from '../record/flowMerge.js';
import type { FlowTable } from '../record/flowTable.js';
import { HashIndex } from '../record/hashIndex.js';
import { KernelDump, type DumpHandler, type RunningDump } from './kernelDump.js';
import type { EventKind } from './kernelEvents.js';
import {
  noInjectedFlows,
  type FlowOrigin,
  type InjectedFlows,
  type MirrorListener,
} from './mirrorListener.js';

/** Slots looked at per turn while sweeping: about 100 us. */
const slotsPerTurn = 8192;

export interface MirrorOptions {
  readonly table: FlowTable;
  readonly filter: FlowFilter;
  /**
   * The lists are applied by the kernel to events (`From Kernelspace`); dumps are filtered here
   * always.
   */
  readonly kernelFilters: boolean;
  /** Whether a port id belongs to an injector of this daemon. */
  readonly isOwnPort: (portId: number) => boolean;
  readonly clock: Clock;
  readonly turns: Turns;
  readonly listener: MirrorListener;
  /**
   * Flows that are in the kernel because the peer sent them. They are not this node's. Absent: none
   * is.
   */
  readonly injected?: InjectedFlows;
  /** A comparison was complete: what it found. */
  readonly passEnded?: (result: ResyncResult, startedAt: Microseconds) => void;
  /** How a dump is started; absent: in the network namespace that the thread is in at that time. */
  readonly startDump?: (handler: DumpHandler) => RunningDump;
}

/** Counters since the start. */
export interface MirrorCounters {
  readonly events: number;
  readonly filtered: number;
  readonly own: number;
  readonly refused: number;
  readonly passes: number;
}

/** What one pass of comparison found. */
export interface ResyncResult {
  /** Entries of the kernel's table, filtered ones included. */
  readonly entries: number;
  /** Those that the filter does not let into the table. */
  readonly ignored: number;
  readonly created: number;
  readonly updated: number;
  readonly removed: number;
  readonly duration: Microseconds;
}

export class FlowMirror {
  /**
   * The end of a flow that the table does not hold is of no interest. A slot that was taken for it,
   * or 0.
   */
  protected readonly unknownEnded: (flow: FlowCursor, hash: number) => number = () => 0;
  /** The filter keeps it out of the table, or it has ended. */
  protected readonly unknownAdjusted: (flow: FlowCursor) => void = () => undefined;
  readonly #table: FlowTable;
  readonly #options: MirrorOptions;
  readonly #injected: InjectedFlows;
  readonly #counters = { events: 0, filtered: 0, own: 0, refused: 0, passes: 0 };
  /** Ends seen during a pass: key hash -> id. */
  readonly #ended = new HashIndex();
  #pass: { ignored: number; created: number; updated: number; removed: number } | undefined;
  #running: Promise<ResyncResult> | undefined;
  #dump: RunningDump | undefined;
  #nowSeconds = 0;
  #closed = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#injected = options.injected ?? noInjectedFlows;
  }

  get counters(): MirrorCounters {
    return this.#counters;
  }

  get isResyncing(): boolean {
    return this.#running !== undefined;
  }

  /**
   * One event; `flow` is a scratch record. `nowSeconds` is monotonic; readers look at the clock
   * once per batch, which would otherwise cost as much as the event.
   */
  event(
    kind: EventKind,
    flow: FlowCursor,
    portId: number,
    nowSeconds: number = this.nowSeconds(),
  ): void {
    this.#nowSeconds = nowSeconds;
    this.#counters.events++;
    const isOwn = portId !== 0 && this.#options.isOwnPort(portId);
    if (isOwn) this.#counters.own++;
    const origin: FlowOrigin = isOwn ? 'own' : 'event';
    if (kind === 'destroy') this.#ends(flow, origin);
    else if (this.#passes(flow)) this.#lives(kind, flow, origin);
    else this.#counters.filtered++;
  }

  /**
   * Compares with the kernel; a call during a pass gets that pass. Rejects with KernelError. Call
   * it when the event queue is known to be newer than the last loss, as KernelWatch does.
   */
  resync(): Promise<ResyncResult> {
    this.#running ??= this.#compare().finally(() => {
      this.#injected.endPass(false);
      this.#running = undefined;
      this.#pass = undefined;
      this.#dump = undefined;
      this.#ended.clear();
    });
    return this.#running;
  }

  /**
   * A flow that was read by itself: what it says of sequence adjustments, which events leave out.
   * All else is left to the events, whose order no answer knows.
   */
  adjusted(flow: FlowCursor): void {
    this.#nowSeconds = this.nowSeconds();
    const slot = this.#table.find(flow);
    if (slot === 0) this.unknownAdjusted(flow);
    else if (!this.#isOther(slot, flow) && keepAdjustments(flow)) {
      const changed = this.#table.merge(slot, flow, this.#nowSeconds);
      if (changed !== 0) this.#options.listener.updated(slot, changed, 'event');
    }
  }

  /** Ends a pass that runs; its promise resolves early. */
  close(): void {
    this.#closed = true;
    this.#dump?.cancel();
  }

  #passes(flow: FlowCursor): boolean {
    const { filter, kernelFilters } = this.#options;
    return kernelFilters ? !filter.isOwn(flow) : filter.accepts(flow);
  }

  /** Monotonic seconds, the unit of recordWord.updated. */
  nowSeconds(): number {
    return wholeSeconds(this.#options.clock.now());
  }

  #lives(kind: EventKind, flow: FlowCursor, origin: FlowOrigin): void {
    const table = this.#table;
    const hash = table.hashOf(flow);
    // A flow that was made anew at once may bear the id of its predecessor.
    if (this.#pass !== undefined && flow.knows(presenceBit.id))
      this.#forgetEnd(hash, flow.get(recordWord.id));
    const slot = table.find(flow, hash);
    if (slot === 0) {
      if (kind === 'update') this.unknownUpdated(flow, origin, hash);
      else this.#insert(flow, origin, hash);
    } else if (kind === 'new' || this.#isOther(slot, flow)) {
      table.replace(slot, flow, this.#nowSeconds);
      table.markSeen(slot);
      this.#options.listener.created(slot, origin);
    } else {
      table.markSeen(slot);
      this.#options.listener.updated(slot, table.merge(slot, flow, this.#nowSeconds), origin);
    }
  }

  /** A change of a flow that the table does not hold: its beginning was missed. */
  protected unknownUpdated(flow: FlowCursor, origin: FlowOrigin, hash: number): void {
    this.#insert(flow, origin, hash);
  }

  /** DEAD, or another flow with the same tuple whose predecessor's end was missed. */
  #isOther(slot: number, flow: FlowCursor): boolean {
    return this.#table.lifecycle(slot) === lifecycle.dead || this.#hasOtherId(slot, flow);
  }

  #hasOtherId(slot: number, flow: FlowCursor): boolean {
    const table = this.#table;
    return (
      flow.knows(presenceBit.id) &&
      (table.read(slot, recordWord.presence) & presenceBit.id) !== 0 &&
      table.read(slot, recordWord.id) !== flow.get(recordWord.id)
    );
  }

  #insert(flow: FlowCursor, origin: FlowOrigin, hash: number): boolean {
    const slot = this.take(flow, origin, hash);
    if (slot === 0) return false;
    this.#options.listener.created(slot, origin);
    return true;
  }

  /** 0 where the table is full. */
  protected take(flow: FlowCursor, origin: FlowOrigin, hash: number): number {
    const { listener } = this.#options;
    let slot = this.#table.insert(flow, this.#nowSeconds, hash);
    if (slot === 0 && listener.makeRoom?.() === true) {
      slot = this.#table.insert(flow, this.#nowSeconds, hash);
    }
    if (slot !== 0) return slot;
    this.#counters.refused++;
    listener.refused(origin);
    return 0;
  }

  /** Ends are never filtered: a state filter must not keep a flow for ever. */
  #ends(flow: FlowCursor, origin: FlowOrigin): void {
    const table = this.#table;
    const hash = table.hashOf(flow);
    if (this.#pass !== undefined && flow.knows(presenceBit.id)) {
      const id = flow.get(recordWord.id);
      if (id !== 0) this.#ended.insert(hash, id);
    }
    let slot = table.find(flow, hash);
    // Own ends are deletes for the peer, or half of a replacement.
    if (slot === 0 && origin === 'event' && !this.#injected.ended(flow)) {
      slot = this.unknownEnded(flow, hash);
    }
    // Events of one tuple may overtake each other: the end of an older flow is not that of the
    // present one.
    if (slot === 0 || this.#isOther(slot, flow)) return;
    this.#options.listener.destroyed(slot, origin);
  }

  async #compare(): Promise<ResyncResult> {
    const { clock } = this.#options;
    const startedAt = clock.now();
    const pass = { ignored: 0, created: 0, updated: 0, removed: 0 };
    this.#pass = pass;
    this.#counters.passes++;
    this.#table.beginGeneration();
    this.#injected.beginPass();
    const handler: DumpHandler = {
      batch: () => (this.#nowSeconds = this.nowSeconds()),
      flow: (flow) => this.#dumped(flow),
    };
    this.#dump =
      this.#options.startDump?.(handler) ??
      new KernelDump({ kind: 'flows' }, this.#table.names, handler);
    const entries = await this.#dump.done;
    this.#injected.endPass(true);
    await this.#sweep();
    const result = { entries, ...pass, duration: subtractTime(clock.now(), startedAt) };
    if (!this.#closed) this.#options.passEnded?.(result, startedAt);
    return result;
  }

  #dumped(flow: FlowCursor): void {
    const table = this.#table;
    const hash = table.hashOf(flow);
    const slot = table.find(flow, hash);
    if (slot !== 0 && table.lifecycle(slot) !== lifecycle.dead && table.wasSeen(slot)) {
      // The listener may hold the slot of an end back: this is what the flow was before.
      if (!isDying(flow) && !this.#endedMeanwhile(flow, hash)) this.#complete(slot, flow);
      return;
    }
    const isUnknown = slot === 0 || this.#isOther(slot, flow);
    if (this.#passesOver(flow)) {
      // Kept as it is: it passed when it came, and it lives.
      if (!isUnknown) table.markSeen(slot);
      else if (this.#pass !== undefined && !isDying(flow)) this.#pass.ignored++;
      return;
    }
    // Before the question for its end: one that was replaced may have the id of its predecessor.
    if (isUnknown && this.#injected.holds(flow)) return;
    if (this.#endedMeanwhile(flow, hash)) return;
    this.#reconcile(slot, flow, hash);
  }

  #passesOver(flow: FlowCursor): boolean {
    // The kernel reports an end before it takes the flow out of its table: the event came, or is on
    // its way.
    if (isDying(flow)) return true;
    if (this.#options.filter.accepts(flow)) return false;
    this.#counters.filtered++;
    return true;
  }

  /**
   * An event named this flow during the pass: only what events do not carry is taken from the
   * dump.
   */
  #complete(slot: number, flow: FlowCursor): void {
    if (this.#hasOtherId(slot, flow)) return;
    const known = this.#table.read(slot, recordWord.presence) | transientPresence;
    const missing = flow.presence & ~known;
    if (missing === 0) return;
    flow.set(recordWord.presence, missing);
    const changed = this.#table.merge(slot, flow, this.#nowSeconds);
    this.#options.listener.updated(slot, changed, 'dump');
  }

  #reconcile(slot: number, flow: FlowCursor, hash: number): void {
    const table = this.#table;
    const { listener } = this.#options;
    const pass = this.#pass ?? failOutsidePass();
    if (slot === 0) {
      if (this.#insert(flow, 'dump', hash)) pass.created++;
      return;
    }
    if (this.#isOther(slot, flow)) {
      table.replace(slot, flow, this.#nowSeconds);
      table.markSeen(slot);
      pass.created++;
      listener.created(slot, 'dump');
      return;
    }
    table.markSeen(slot);
    const changed = table.merge(slot, flow, this.#nowSeconds);
    // A timeout always differs; alone it is no news.
    if ((changed & ~presenceBit.timeout) === 0) return;
    pass.updated++;
    listener.updated(slot, changed, 'dump');
  }

  #endedMeanwhile(flow: FlowCursor, hash: number): boolean {
    if (!flow.knows(presenceBit.id)) return false;
    return this.#ended.find(hash, sameId, flow.get(recordWord.id)) !== 0;
  }

  #forgetEnd(hash: number, id: number): void {
    if (id !== 0) this.#ended.remove(hash, id);
  }

  #sweep(): Promise<void> {
    const table = this.#table;
    let slot = 0;
    return new Promise((resolve) => {
      const turn = (): void => {
        if (this.#closed) {
          resolve();
          return;
        }
        for (let i = 0; i < slotsPerTurn; i++) {
          slot = table.next(slot);
          if (slot === 0) {
            resolve();
            return;
          }
          if (table.wasSeen(slot) || table.lifecycle(slot) === lifecycle.dead) continue;
          if (this.#pass !== undefined) this.#pass.removed++;
          this.#options.listener.destroyed(slot, 'dump');
        }
        this.#options.turns.next(turn);
      };
      turn();
    });
  }
}

const sameId = (stored: number, id: number): boolean => stored === id;

function failOutsidePass(): never {
  throw new BugError('a dump entry outside a pass');
}
