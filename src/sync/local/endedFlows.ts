/**
 * Who hears of connections that ended, with what the kernel said of the end. A destroy that is
 * delayed (delayedDestroys.ts) keeps the bytes of its event for that time.
 */
import type { EventMessage } from '../../conntrack/kernel/kernelEvents.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';

export interface EndedFlows {
  /** Whether a connection that ends now is this node's to tell. */
  readonly isServing: boolean;
  /** The peer's flows that appear in the kernel now were taken over from it. */
  readonly isTakingOver: boolean;
  /**
   * A connection has ended. `event`: the kernel's message, valid during the call; absent where the
   * end was found by a comparison, and the record is all that is known. `isTakenOver`: the kernel
   * counted its packets only since a takeover.
   */
  ended(flow: FlowCursor, event: EventMessage | undefined, isTakenOver: boolean): void;
}

/** Ends beyond this number are told without their event. */
const mostHeld = 32_768;

export class HeldEnds {
  readonly #ends: EndedFlows;
  readonly #event: () => EventMessage;
  /** Slot -> what the event said; undefined where too many are held. */
  readonly #held = new Map<number, EventMessage | undefined>();

  constructor(ends: EndedFlows, event: () => EventMessage) {
    this.#ends = ends;
    this.#event = event;
  }

  /** The end of an event, at once. */
  tell(flow: FlowCursor, isTakenOver: boolean): void {
    if (this.#ends.isServing) this.#ends.ended(flow, this.#event(), isTakenOver);
  }

  /** An end that only a comparison found. */
  tellFound(flow: FlowCursor, isTakenOver: boolean): void {
    if (this.#ends.isServing) this.#ends.ended(flow, undefined, isTakenOver);
  }

  /** The destroy of this slot is delayed: whose it is to tell is decided now. */
  hold(slot: number): void {
    if (!this.#ends.isServing) return;
    this.#held.set(slot, this.#held.size < mostHeld ? copied(this.#event()) : undefined);
  }

  /** The delayed end is one. */
  release(slot: number, flow: FlowCursor, isTakenOver: boolean): void {
    if (!this.#held.has(slot)) return;
    const event = this.#held.get(slot);
    this.#held.delete(slot);
    this.#ends.ended(flow, event, isTakenOver);
  }

  /** The slot lives again, or its end is no news. */
  forget(slot: number): void {
    if (this.#held.size > 0) this.#held.delete(slot);
  }

  clear(): void {
    this.#held.clear();
  }
}

function copied({ bytes, at, length }: EventMessage): EventMessage {
  const copy = bytes.slice(at, at + length);
  return { view: new DataView(copy.buffer), bytes: copy, at: 0, length };
}
