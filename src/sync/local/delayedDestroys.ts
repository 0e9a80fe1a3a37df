/**
 * Destroys of flows in full life, delayed for a moment: when an address or a link goes away the
 * kernel destroys its flows in a mass (MASQUERADE), and their events may come before the news of
 * the address. Those flows have a translated source; no other flow is delayed. A connection that
 * ends by itself leaves ESTABLISHED first and is not delayed either. A flow whose destroy is
 * delayed counts as alive: for the peer it still is.
 *
 * The slots stand in one list per tick, and in each record three owner bits name the list that
 * counts. An entry whose slot says otherwise has been forgotten; the end of 100,000 flows thus
 * costs no lookup and no object.
 */
import { protocol, statusBit, tcpState } from '../../conntrack/constants.js';
import {
  presenceBit,
  kindField,
  recordWord,
  type FlowCursor,
} from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';

/** Of the engine's ticks, 100 ms each; the first may be later on an engine that was idle. */
const ticksDelayed = 4;

const assuredSourceNat = statusBit.assured | statusBit.sourceNat;

/** Owner bits of recordWord.kind: 0, or 1 + the index of the list, at most 4. */
const markShift = kindField.lowOwnerShift;
const markMask = 0x7;

export class DelayedDestroys {
  readonly #table: FlowTable;
  readonly #cursor: FlowCursor;
  /**
   * What died between two ticks each; `#present` is the one that is filled, the next one is the
   * oldest.
   */
  readonly #lists: number[][] = Array.from({ length: ticksDelayed }, () => []);
  #present = 0;

  constructor(table: FlowTable) {
    this.#table = table;
    this.#cursor = table.newCursor();
  }

  /** Whether the flow can end in a mass at all: what is not masqueraded ends by itself. */
  mayBeMasqueradeFlush(slot: number): boolean {
    return (this.#table.read(slot, recordWord.status) & statusBit.sourceNat) !== 0;
  }

  /** Whether the end of this flow is of the kind that is held. */
  concerns(slot: number): boolean {
    if ((this.#table.read(slot, recordWord.status) & assuredSourceNat) !== assuredSourceNat)
      return false;
    const flow = this.#table.seek(slot, this.#cursor);
    if (flow.protocol !== protocol.tcp) return true;
    return flow.knows(presenceBit.state) && flow.state === tcpState.established;
  }

  delay(slot: number): void {
    this.#mark(slot, this.#present + 1);
    this.#lists[this.#present]!.push(slot);
  }

  has(slot: number): boolean {
    return this.#markOf(slot) !== 0;
  }

  /**
   * The slot lives again, or its destroy was sent otherwise. A slot that is freed is forgotten by
   * that.
   */
  forget(slot: number): void {
    if (this.#markOf(slot) !== 0) this.#mark(slot, 0);
  }

  /** Nothing is held; forgotten entries count until their list is due. */
  get isEmpty(): boolean {
    return this.#lists.every((list) => list.length === 0);
  }

  clear(): void {
    for (const list of this.#lists) list.length = 0;
  }

  /** Hands over the slots that were held long enough; with `all` every one. */
  tick(release: (slot: number) => void, all = false): void {
    const count = this.#lists.length;
    const due = all ? count : 1;
    this.#present = (this.#present + 1) % count;
    for (let i = 0; i < due; i++) this.#release((this.#present + i) % count, release);
  }

  #release(index: number, release: (slot: number) => void): void {
    const list = this.#lists[index]!;
    if (list.length === 0) return;
    this.#lists[index] = [];
    for (const slot of list) {
      if (this.#markOf(slot) !== index + 1) continue;
      this.#mark(slot, 0);
      release(slot);
    }
  }

  #markOf(slot: number): number {
    return (this.#table.read(slot, recordWord.kind) >>> markShift) & markMask;
  }

  #mark(slot: number, value: number): void {
    const kept = this.#table.read(slot, recordWord.kind) & ~(markMask << markShift);
    this.#table.write(slot, recordWord.kind, kept | (value << markShift));
  }
}
