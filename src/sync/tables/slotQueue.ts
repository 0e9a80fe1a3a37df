/**
 * A first-in-first-out list of flows whose links stand in the records themselves, so that queueing
 * costs no memory. A slot is in at most one queue at a time; which one is said by two owner bits of
 * the record.
 */
import { recordWord } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';

/** Which queue a slot is in: the value of the owner bits. */
export const membership = { none: 0, transmit: 1, resend: 2, timer: 3 } as const;
export type Membership = (typeof membership)[keyof typeof membership];

const membershipShift = 24;
const membershipMask = 0x3;

export function membershipOf(table: FlowTable, slot: number): Membership {
  // Two bits, all of whose values are named.
  return ((table.read(slot, recordWord.kind) >>> membershipShift) & membershipMask) as Membership;
}

function setMembership(table: FlowTable, slot: number, value: number): void {
  const kept = table.read(slot, recordWord.kind) & ~(membershipMask << membershipShift);
  table.write(slot, recordWord.kind, kept | (value << membershipShift));
}

export class SlotQueue {
  readonly #table: FlowTable;
  readonly #membership: Membership;
  #head = 0;
  #tail = 0;
  #count = 0;

  constructor(table: FlowTable, ownMembership: Exclude<Membership, 0>) {
    this.#table = table;
    this.#membership = ownMembership;
  }

  /** The oldest slot, or 0. */
  get head(): number {
    return this.#head;
  }

  get count(): number {
    return this.#count;
  }

  /** The slot must be in no queue. */
  push(slot: number): void {
    const table = this.#table;
    setMembership(table, slot, this.#membership);
    table.write(slot, recordWord.queueNext, 0);
    table.write(slot, recordWord.queuePrevious, this.#tail);
    if (this.#tail === 0) this.#head = slot;
    else table.write(this.#tail, recordWord.queueNext, slot);
    this.#tail = slot;
    this.#count++;
  }

  /** The slot must be in this queue. */
  remove(slot: number): void {
    const table = this.#table;
    const next = table.read(slot, recordWord.queueNext);
    const previous = table.read(slot, recordWord.queuePrevious);
    if (previous === 0) this.#head = next;
    else table.write(previous, recordWord.queueNext, next);
    if (next === 0) this.#tail = previous;
    else table.write(next, recordWord.queuePrevious, previous);
    setMembership(table, slot, membership.none);
    this.#count--;
  }

  next(slot: number): number {
    return this.#table.read(slot, recordWord.queueNext);
  }

  /** Forgets everything without touching the records: for a table that was cleared. */
  reset(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#count = 0;
  }
}
