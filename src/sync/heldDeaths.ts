/**
 * Deaths of flows in full life, held back for a moment: when an address or a link goes away the kernel destroys them in
 * a mass (MASQUERADE), and its events may come before the news of the address. A connection that ends by itself leaves
 * ESTABLISHED first and is not held. A held flow counts as alive: for the peer it still is.
 */
import { protocol, statusBit, tcpState } from '../conntrack/constants.js';
import { has, lifecycle, word, type FlowCursor } from '../conntrack/flowRecord.js';
import type { FlowTable } from '../conntrack/flowTable.js';

/** Of the engine's ticks, 100 ms each. */
const ticksHeld = 4;

export class HeldDeaths {
  readonly #table: FlowTable;
  readonly #cursor: FlowCursor;
  /** The tick at which each slot died, oldest first. */
  readonly #diedAt = new Map<number, number>();
  #ticks = 0;

  constructor(table: FlowTable) {
    this.#table = table;
    this.#cursor = table.newCursor();
  }

  /** Whether this death is of the kind that is held; the slot is DEAD and holds the last known state. */
  concerns(slot: number): boolean {
    const flow = this.#table.seek(slot, this.#cursor);
    if ((flow.get(word.status) & statusBit.assured) === 0) return false;
    if (flow.protocol !== protocol.tcp) return true;
    return flow.knows(has.state) && flow.state === tcpState.established;
  }

  hold(slot: number): void {
    this.#table.setLifecycle(slot, lifecycle.alive);
    this.#diedAt.delete(slot);
    this.#diedAt.set(slot, this.#ticks);
  }

  /** The slot lives again, is free, or its death was told otherwise. */
  forget(slot: number): void {
    this.#diedAt.delete(slot);
  }

  clear(): void {
    this.#diedAt.clear();
  }

  /** Hands over the slots that were held long enough, DEAD again; with `all` every one. */
  tick(release: (slot: number) => void, all = false): void {
    this.#ticks++;
    for (const [slot, diedAt] of this.#diedAt) {
      if (!all && this.#ticks - diedAt < ticksHeld) return;
      this.#diedAt.delete(slot);
      this.#table.setLifecycle(slot, lifecycle.dead);
      release(slot);
    }
  }
}
