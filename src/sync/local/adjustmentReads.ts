/**
 * Sequence adjustments (a helper has made a TCP segment longer or shorter, as FTP's PORT behind
 * source NAT): the kernel shows them in dumps, and its events leave them out. So a flow is read by
 * itself a moment after an expectation of it came, or after its status says SEQ_ADJUST and nothing
 * more is known.
 */
import { errorText, KernelError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { milliseconds, type ArmedTimer, type Timers } from '../../base/time.js';
import { protocol } from '../../conntrack/constants.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import { FlowTable } from '../../conntrack/record/flowTable.js';
import type { NameTable } from '../../conntrack/record/nameTable.js';

/**
 * The helper reports the expectation before it changes the segment: a flow is read in the turn
 * after the next, 100 to 200 ms later. At most 50 flows a second are read.
 */
const turn = milliseconds(100);
const mostPerTurn = 5;
/**
 * Flows that wait. Of more, those that came later are read when a helper expects something again.
 */
const mostWaiting = 256;

export interface AdjustmentReadParts {
  readonly names: NameTable;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Opened with the first flow. Throws KernelError. */
  readonly open: () => {
    read(key: FlowCursor): FlowCursor | undefined;
    close(): void;
  };
  /** A flow as the kernel has it now; a scratch record. */
  readonly onRead: (flow: FlowCursor) => void;
}

export class AdjustmentReads {
  readonly #parts: AdjustmentReadParts;
  #due: FlowTable;
  #fresh: FlowTable;
  readonly #key: FlowCursor;
  #lookup: ReturnType<AdjustmentReadParts['open']> | undefined;
  #timer: ArmedTimer | undefined;

  constructor(parts: AdjustmentReadParts) {
    this.#parts = parts;
    const newTable = (): FlowTable =>
      new FlowTable({ names: parts.names, limit: mostWaiting, hashSeed: 0 });
    this.#due = newTable();
    this.#fresh = newTable();
    this.#key = this.#due.newCursor();
  }

  /** Flows that wait to be read. */
  get waiting(): number {
    return this.#due.count + this.#fresh.count;
  }

  /** `key`: original tuple and zone. Only TCP counts its bytes. */
  mayBeAdjusted(key: FlowCursor): void {
    if (key.protocol !== protocol.tcp || this.#fresh.find(key) !== 0) return;
    if (this.#fresh.insert(key, 0) === 0) return;
    this.#timer ??= this.#parts.timers.after(turn, () => this.#turn());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { names } = this.#parts;
    for (const table of [this.#due, this.#fresh]) {
      names.without(table);
      table.clear();
    }
    this.#lookup?.close();
  }

  #turn(): void {
    this.#timer = undefined;
    this.#readDue();
    if (this.#due.count === 0) [this.#due, this.#fresh] = [this.#fresh, this.#due];
    if (this.waiting > 0) this.#timer = this.#parts.timers.after(turn, () => this.#turn());
  }

  #readDue(): void {
    const due = this.#due;
    if (due.count === 0) return;
    try {
      this.#lookup ??= this.#parts.open();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      const fields = { reason: errorText(error) };
      this.#parts.logger.log('warning', 'sequence adjustments cannot be read', fields);
      due.clear();
      return;
    }
    let slot = due.next(0);
    for (let i = 0; i < mostPerTurn && slot !== 0; i++) {
      const flow = this.#lookup.read(due.seek(slot, this.#key));
      if (flow !== undefined) this.#parts.onRead(flow);
      const next = due.next(slot);
      due.remove(slot);
      slot = next;
    }
  }
}
