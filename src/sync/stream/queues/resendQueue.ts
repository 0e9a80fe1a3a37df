/**
 * What was sent and not yet acknowledged (FTFW), in the order of its numbers: flows in their
 * records, expectations and control messages as small objects. Bounded; what is dropped is
 * remembered by number, so that a later request for it can be answered by a bulk.
 */
import { recordWord } from '../../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../../conntrack/record/flowTable.js';
import { headerFlag, sequenceDistance } from '../../wire/header.js';
import type { ExpectationEntry } from '../../tables/expectations.js';
import { membership, SlotQueue } from '../../tables/slotQueue.js';

/** A control message in a queue; `sequence` is the number under which it was sent last. */
export interface ControlMessage {
  readonly flags: number;
  from: number;
  to: number;
  sequence: number;
}

/** What happens to the elements that leave the queue. */
export interface ResendOwner {
  /** Acknowledged, or given up: a DEAD flow is thereby over. */
  releaseFlow(slot: number): void;
  releaseExpectation(entry: ExpectationEntry): void;
  /** To be sent again under a new number. */
  requeueFlow(slot: number): void;
  requeueExpectation(entry: ExpectationEntry): void;
  requeueControl(message: ControlMessage): void;
  controlAcknowledged(message: ControlMessage): void;
  /** An object was dropped because the queue is full: the peer may never hear of it. */
  objectDropped(): void;
}

export class ResendQueue {
  readonly limit: number;
  /** Elements dropped because the queue was full, since the start. */
  dropped = 0;
  readonly #table: FlowTable;
  readonly #owner: ResendOwner;
  readonly #flows: SlotQueue;
  #expectations: ExpectationEntry[] = [];
  #controls: ControlMessage[] = [];
  #lastDropped: number | undefined;

  constructor(table: FlowTable, limit: number, owner: ResendOwner) {
    this.#table = table;
    this.limit = Math.max(1, limit);
    this.#owner = owner;
    this.#flows = new SlotQueue(table, membership.resend);
  }

  get count(): number {
    return this.#flows.count + this.#expectations.length + this.#controls.length;
  }

  get flowCount(): number {
    return this.#flows.count;
  }

  /** Number of the oldest flow or expectation in the queue. */
  get oldestFlow(): number | undefined {
    return this.#oldest(false);
  }

  /** Elements for `-s rsqueue`: flags of control messages, undefined for objects. */
  *elements(): Generator<{ readonly sequence: number; readonly flags: number | undefined }> {
    for (const { sequence, flags } of this.#controls) yield { sequence, flags };
    for (let slot = this.#flows.head; slot !== 0; slot = this.#flows.next(slot)) {
      yield { sequence: this.#table.read(slot, recordWord.queueSequence), flags: undefined };
    }
    for (const { sequence } of this.#expectations) yield { sequence, flags: undefined };
  }

  addFlow(slot: number, sequence: number): void {
    this.#makeRoom();
    this.#table.write(slot, recordWord.queueSequence, sequence);
    this.#flows.push(slot);
  }

  addExpectation(entry: ExpectationEntry, sequence: number): void {
    this.#makeRoom();
    entry.sequence = sequence;
    this.#expectations.push(entry);
  }

  addControl(message: ControlMessage): void {
    this.#makeRoom();
    this.#controls.push(message);
  }

  /** The flow changed or goes away: its old number need not be sent again. */
  removeFlow(slot: number): void {
    this.#flows.remove(slot);
  }

  removeExpectation(entry: ExpectationEntry): void {
    this.#expectations = this.#expectations.filter((other) => other !== entry);
  }

  /** The peer has `from`..`to`, both included. */
  acknowledge(from: number, to: number): void {
    this.#range(from, to, (slot) => {
      this.#owner.releaseFlow(slot);
    });
    this.#expectations = takeRange(this.#expectations, from, to, (entry) => {
      this.#owner.releaseExpectation(entry);
    });
    this.#controls = takeRange(this.#controls, from, to, (message) => {
      this.#owner.controlAcknowledged(message);
    });
  }

  /**
   * The peer misses `from`..`to`: what is still here goes out again. False where some of the range
   * was dropped before, so that only a bulk can help.
   */
  requeue(from: number, to: number): boolean {
    this.#range(from, to, (slot) => {
      this.#owner.requeueFlow(slot);
    });
    this.#expectations = takeRange(this.#expectations, from, to, (entry) => {
      this.#owner.requeueExpectation(entry);
    });
    this.#controls = takeRange(this.#controls, from, to, (message) => {
      this.#owner.requeueControl(message);
    });
    const lost = this.#lastDropped;
    if (lost === undefined || sequenceDistance(lost, from) < 0) return true;
    this.#lastDropped = undefined;
    return false;
  }

  /**
   * Everything goes out again, except acknowledgements, which mean nothing to a new incarnation.
   */
  requeueAll(): void {
    for (let slot = this.#flows.head; slot !== 0; slot = this.#flows.head) {
      this.#flows.remove(slot);
      this.#owner.requeueFlow(slot);
    }
    for (const entry of this.#expectations.splice(0)) this.#owner.requeueExpectation(entry);
    for (const message of this.#controls.splice(0)) {
      if ((message.flags & headerFlag.resync) !== 0) this.#owner.requeueControl(message);
    }
    this.#lastDropped = undefined;
  }

  /**
   * Elements with a number up to `sequence`, which nobody answered for a long time, go out again.
   */
  requeueStale(sequence: number): number {
    const before = this.count;
    const oldest = this.#oldest(true);
    if (oldest !== undefined && sequenceDistance(sequence, oldest) >= 0) {
      this.requeue(oldest, sequence);
    }
    return before - this.count;
  }

  /** Gives the oldest flow up, for its place in the table; false where there is none. */
  dropOldestFlow(): boolean {
    const slot = this.#flows.head;
    if (slot === 0) return false;
    this.dropped++;
    this.#lastDropped = this.#table.read(slot, recordWord.queueSequence);
    this.#dropFlow(slot);
    return true;
  }

  /** For a table that was cleared. */
  reset(): void {
    this.#flows.reset();
    this.#expectations = [];
  }

  #oldest(withControls: boolean): number | undefined {
    const numbers: number[] = [];
    if (this.#flows.head !== 0)
      numbers.push(this.#table.read(this.#flows.head, recordWord.queueSequence));
    if (this.#expectations[0] !== undefined) numbers.push(this.#expectations[0].sequence);
    if (withControls && this.#controls[0] !== undefined) numbers.push(this.#controls[0].sequence);
    return numbers.length === 0
      ? undefined
      : numbers.reduce((a, b) => (sequenceDistance(a, b) < 0 ? a : b));
  }

  #range(from: number, to: number, each: (slot: number) => void): void {
    let slot = this.#flows.head;
    while (slot !== 0) {
      const next = this.#flows.next(slot);
      const sequence = this.#table.read(slot, recordWord.queueSequence);
      if (sequenceDistance(sequence, to) > 0) return;
      if (sequenceDistance(sequence, from) >= 0) {
        this.#flows.remove(slot);
        each(slot);
      }
      slot = next;
    }
  }

  /** Drops the oldest element when the queue is full. */
  #makeRoom(): void {
    if (this.count < this.limit) return;
    this.dropped++;
    this.#lastDropped = this.#oldest(true);
    if (this.#controls.length > 0 && this.#controls[0]!.sequence === this.#lastDropped) {
      this.#controls.shift();
    } else if (this.#expectations[0]?.sequence === this.#lastDropped) {
      this.#owner.objectDropped();
      this.#owner.releaseExpectation(this.#expectations.shift()!);
    } else {
      this.#dropFlow(this.#flows.head);
    }
  }

  #dropFlow(slot: number): void {
    this.#owner.objectDropped();
    this.#flows.remove(slot);
    this.#owner.releaseFlow(slot);
  }
}

/** Calls `each` for the elements in the range and returns the others. */
function takeRange<T extends { readonly sequence: number }>(
  list: T[],
  from: number,
  to: number,
  each: (element: T) => void,
): T[] {
  if (list.length === 0) return list;
  const left: T[] = [];
  for (const element of list) {
    const isInside =
      sequenceDistance(element.sequence, from) >= 0 && sequenceDistance(element.sequence, to) <= 0;
    if (isInside) each(element);
    else left.push(element);
  }
  return left;
}
