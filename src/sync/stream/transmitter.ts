/**
 * The sending half: a queue of references to what changed, drained into datagrams. A message is
 * built only when its turn comes, so several changes of one flow become one message with the newest
 * content, and its type follows from the flow's life at that moment (conntrackd 1.4.7 «transmit
 * queue»).
 *
 *   change -> transmit queue -> datagram -> resend queue (FTFW) | released (NOTRACK) | wheel (ALARM)
 *
 * Beyond conntrackd: what is sent and unacknowledged is bounded by a window, and a bulk walks the
 * table in steps, so that a peer with an ordinary socket buffer keeps up.
 */
import { wholeSeconds, type Microseconds } from '../../base/time.js';
import { lifecycle, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { ExpectationEntry } from '../tables/expectations.js';
import type { ChangeListener } from '../tables/changeListener.js';
import type { Machine } from './modes/machine.js';
import { ExpectationRefresh } from './queues/expectationRefresh.js';
import { RefreshWheel } from './queues/refreshWheel.js';
import { joinWaiting } from './queues/controlQueue.js';
import { ResendQueue, type ControlMessage, type ResendOwner } from './queues/resendQueue.js';
import { SendWindow } from './queues/sendWindow.js';
import { membership, membershipOf, SlotQueue } from '../tables/slotQueue.js';
import { writeExpectation } from '../wire/expectationCodec.js';
import {
  flowKindOf,
  headerFlag,
  messageKind,
  rangeFlags,
  rangeHeaderBytes,
  headerBytes,
  sequenceDistance,
  writeHeader,
  writeRange,
} from '../wire/header.js';
import { BulkWalk } from './bulkWalk.js';
import type { TransmitterOptions } from './transmitterOptions.js';

/**
 * Looked at for one that is DEAD, when the table is full; those that live lose their place in the
 * queue alone.
 */
const mostGivenUp = 4_096;

export class Transmitter implements ChangeListener, ResendOwner {
  readonly resend: ResendQueue;
  /** When the last datagram was built; undefined before the first. */
  lastSentAt: Microseconds | undefined;
  readonly #options: TransmitterOptions;
  readonly #machine: Machine;
  readonly #flows: SlotQueue;
  readonly #expectations = new Set<ExpectationEntry>();
  readonly #controls: ControlMessage[] = [];
  readonly #wheel: RefreshWheel | undefined;
  readonly #expectationRefresh = new ExpectationRefresh();
  readonly #bulk: BulkWalk;
  readonly #cursor: FlowCursor;
  readonly #window: SendWindow;
  #nextSequence: number;
  /**
   * Objects were dropped unacknowledged, the last of them before this number. A bulk makes up for
   * it once the peer has what was sent until then: it answers again.
   */
  #bulkOwedSince: number | undefined;
  #nowSeconds = 0;

  constructor(machine: Machine, options: TransmitterOptions) {
    const { table } = options.cache;
    this.#machine = machine;
    this.#options = options;
    this.#flows = new SlotQueue(table, membership.transmit);
    this.#cursor = table.newCursor();
    this.resend = new ResendQueue(table, options.resendLimit, this);
    this.#wheel =
      options.mode === 'ALARM' ? new RefreshWheel(table, options.refreshSeconds) : undefined;
    this.#bulk = new BulkWalk(options.newWalk(this));
    // Any start is allowed; by a random one a restart differs from a late duplicate.
    this.#nextSequence = options.random.below(0x1_0000_0000);
    this.#window = new SendWindow(options, this.#nextSequence);
  }

  /** Number of the next message. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Elements waiting to be sent. */
  get waiting(): number {
    return this.#flows.count + this.#expectations.size + this.#controls.length;
  }

  /** All that the peer must learn was sent and, in FTFW, acknowledged. */
  get isDrained(): boolean {
    return this.isAllSent && this.resend.flowCount === 0;
  }

  /** Nothing waits to be sent; changes that are acknowledged or not do not matter. */
  get isAllSent(): boolean {
    return this.#flows.count === 0 && this.#expectations.size === 0 && !this.#bulk.isRunning;
  }

  /** FTFW: the peer has everything that was sent under a number before `sequence`. */
  isAcknowledgedBefore(sequence: number): boolean {
    const oldest = this.resend.oldestFlow;
    return oldest === undefined || sequenceDistance(oldest, sequence) >= 0;
  }

  get isBulkRunning(): boolean {
    return this.#bulk.isRunning;
  }

  /** Queues everything for the peer; one that runs is followed by another. */
  startBulk(): void {
    this.#bulk.start(this.#nextSequence);
  }

  /** A flow that waits already keeps its place: its newest content goes out. */
  flowChanged(slot: number): void {
    if (membershipOf(this.#options.cache.table, slot) === membership.transmit) return;
    this.#takeOut(slot);
    if (this.#flows.count === 0) this.#options.wake();
    this.#flows.push(slot);
  }

  flowDied(slot: number): void {
    this.flowChanged(slot);
  }

  flowForgotten(slot: number): void {
    this.#takeOut(slot);
  }

  expectationChanged(entry: ExpectationEntry): void {
    if (entry.membership === membership.resend) this.resend.removeExpectation(entry);
    this.requeueExpectation(entry);
    this.#options.wake();
  }

  expectationDied(entry: ExpectationEntry): void {
    this.expectationChanged(entry);
  }

  expectationForgotten(entry: ExpectationEntry): void {
    if (entry.membership === membership.resend) this.resend.removeExpectation(entry);
    this.#expectations.delete(entry);
    this.#expectationRefresh.remove(entry);
    entry.membership = membership.none;
  }

  cleared(): void {
    this.#flows.reset();
    this.#wheel?.reset();
    this.resend.reset();
    this.#expectations.clear();
    this.#expectationRefresh.clear();
    this.#bulk.stop();
  }

  control(flags: number, from: number, to: number): void {
    // One ALIVE says as much as two.
    if (flags === headerFlag.alive && this.#controls.length > 0) return;
    if (!joinWaiting(this.#controls, flags, from, to))
      this.#controls.push({ flags, from, to, sequence: 0 });
  }

  acknowledged(from: number, to: number, now: Microseconds): void {
    this.#window.heard(to, this.#nextSequence, now);
    this.resend.acknowledge(from, to);
  }

  /** False where only a bulk can help. */
  missing(from: number, to: number, now: Microseconds): boolean {
    this.#window.heard(to, this.#nextSequence, now);
    this.#bulk.reopenEnd();
    return this.resend.requeue(from, to);
  }

  /**
   * The peer knows nothing: what was out goes out again, and a bulk that ran is of no use to it.
   */
  peerRestarted(now: Microseconds): void {
    this.#window.heard((this.#nextSequence - 1) >>> 0, this.#nextSequence, now);
    this.#bulk.stop();
    this.resend.requeueAll();
  }

  /** ALARM's refreshes that are due. */
  refresh(nowSeconds: number): void {
    this.#wheel?.due(nowSeconds, (slot) => {
      this.#flows.push(slot);
    });
    this.#expectationRefresh.due(nowSeconds, (entry) => {
      this.requeueExpectation(entry);
    });
  }

  /**
   * Sends up to `most` messages and flushes. True where more could be sent at once; false where
   * nothing is left or the window is closed.
   */
  pump(now: Microseconds, most: number): boolean {
    this.#nowSeconds = wholeSeconds(now);
    for (let i = 0; i < most; i++) {
      if (!this.#sendNext(now)) {
        this.#options.builder.flush();
        this.#finishBulk();
        return false;
      }
      this.lastSentAt = now;
    }
    this.#options.builder.flush();
    return true;
  }

  releaseFlow(slot: number): void {
    this.#options.cache.acknowledged(slot);
  }

  releaseExpectation(entry: ExpectationEntry): void {
    entry.membership = membership.none;
    this.#options.cache.acknowledgedExpectation(entry);
  }

  requeueFlow(slot: number): void {
    this.#flows.push(slot);
  }

  requeueExpectation(entry: ExpectationEntry): void {
    this.#expectationRefresh.remove(entry);
    entry.membership = membership.transmit;
    this.#expectations.add(entry);
  }

  requeueControl(message: ControlMessage): void {
    const { flags, from, to } = message;
    if (!joinWaiting(this.#controls, flags, from, to)) this.#controls.push(message);
  }

  controlAcknowledged(message: ControlMessage): void {
    if ((message.flags & headerFlag.resync) !== 0) this.#options.resyncAcknowledged();
  }

  objectDropped(): void {
    this.#bulkOwedSince = this.#nextSequence;
    this.#bulk.markIncomplete();
  }

  changeLost(): void {
    this.objectDropped();
  }

  makeRoom(hasRoom: () => boolean): void {
    for (let i = 0; i < mostGivenUp && !hasRoom(); i++) {
      if (this.resend.dropOldestFlow()) continue;
      const slot = this.#flows.head;
      if (slot === 0) return;
      this.#flows.remove(slot);
      this.objectDropped();
      this.releaseFlow(slot);
    }
  }

  /**
   * The window is closed for long: the peer is slow, or acknowledges rarely. A little goes out
   * anyway.
   */
  unblock(now: Microseconds, timeout: Microseconds): void {
    if (!this.#isWindowOpen()) this.#window.unblock(now, timeout);
  }

  #isWindowOpen(): boolean {
    return (
      this.#options.mode !== 'FTFW' || this.#window.isOpen(this.#nextSequence, this.#flows.count)
    );
  }

  /** One message; control messages first, they are what opens the windows. */
  #sendNext(now: Microseconds): boolean {
    const control = this.#controls.shift();
    if (control !== undefined) {
      this.#sendControl(control);
      return true;
    }
    if (!this.#isWindowOpen()) {
      this.#window.closed(now);
      return false;
    }
    if (this.#flows.head === 0 && this.#expectations.size === 0) this.#bulk.step();
    const slot = this.#flows.head;
    if (slot !== 0) {
      this.#sendFlow(slot);
      return true;
    }
    for (const entry of this.#expectations) {
      this.#sendExpectation(entry);
      return true;
    }
    return false;
  }

  #sendControl(message: ControlMessage): void {
    const { builder, mode } = this.#options;
    const hasRange = (message.flags & rangeFlags) !== 0;
    const { view, used } = builder;
    const length = hasRange ? rangeHeaderBytes : headerBytes;
    message.sequence = this.#takeSequence();
    const flags = message.flags | this.#machine.flags();
    writeHeader(view, used, messageKind.control, flags, length, message.sequence);
    if (hasRange) writeRange(view, used, message.from, message.to);
    builder.append(length);
    if (mode === 'FTFW' && hasRange) this.resend.addControl(message);
  }

  #sendFlow(slot: number): void {
    const { builder, cache, writer, mode } = this.#options;
    const flow = cache.table.seek(slot, this.#cursor);
    const { view, used } = builder;
    const length = writer.write(view, used, flow);
    const sequence = this.#takeSequence();
    const kind = flowKindOf(cache.table.lifecycle(slot));
    writeHeader(view, used, kind, this.#machine.flags(), length, sequence);
    builder.append(length);
    this.#flows.remove(slot);
    if (mode === 'FTFW') this.resend.addFlow(slot, sequence);
    else if (this.#wheel === undefined || kind === messageKind.flowDelete) this.releaseFlow(slot);
    else this.#wheel.add(slot, this.#nowSeconds, this.#refreshDelay());
  }

  #sendExpectation(entry: ExpectationEntry): void {
    const { builder, mode, sendTimeout } = this.#options;
    const { view, used } = builder;
    const length = writeExpectation(view, used, entry.content, sendTimeout);
    const sequence = this.#takeSequence();
    const kind = messageKind.expectationNew + flowKindOf(entry.lifecycle);
    writeHeader(view, used, kind, this.#machine.flags(), length, sequence);
    builder.append(length);
    this.#expectations.delete(entry);
    entry.membership = membership.none;
    if (mode === 'FTFW') {
      entry.membership = membership.resend;
      this.resend.addExpectation(entry, sequence);
      return;
    }
    if (this.#wheel !== undefined && entry.lifecycle !== lifecycle.dead) {
      this.#expectationRefresh.add(entry, this.#nowSeconds + this.#refreshDelay());
    }
    this.releaseExpectation(entry);
  }

  /** conntrackd: 1 + random below RefreshTime, and a fraction of a second. */
  #refreshDelay(): number {
    return 1 + this.#options.random.below(Math.max(1, this.#options.refreshSeconds));
  }

  #takeSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence = (sequence + 1) >>> 0;
    return sequence;
  }

  /** Out of whatever queue it is in. */
  #takeOut(slot: number): void {
    const queue = membershipOf(this.#options.cache.table, slot);
    if (queue === membership.transmit) this.#flows.remove(slot);
    else if (queue === membership.resend) this.resend.removeFlow(slot);
    else if (queue === membership.timer) this.#wheel?.remove(slot);
  }

  #finishBulk(): void {
    const waitsForAcks = this.#options.mode === 'FTFW';
    const oldest = waitsForAcks ? this.resend.oldestFlow : undefined;
    const done = this.#bulk.finished(this.#nextSequence, oldest, this.waiting === 0);
    const owes = this.#bulkOwedSince;
    if (owes !== undefined && this.isAllSent && this.isAcknowledgedBefore(owes)) {
      this.#bulkOwedSince = undefined;
      this.startBulk();
    }
    if (done !== undefined) this.#options.bulkDone(done.since, done.entries);
  }
}
