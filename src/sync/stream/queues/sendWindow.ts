/**
 * FTFW: how many messages may be out unacknowledged, so that a peer with an ordinary socket buffer
 * keeps up (beyond conntrackd, which has no such bound).
 */
import { subtractTime, type Microseconds } from '../../../base/time.js';
import { sequenceDistance } from '../../wire/header.js';

/** Messages that may be out unacknowledged; conntrackd acknowledges at least every 300. */
const ordinaryWindow = 4_096;
/** Flows that may wait behind a closed window: DEAD ones hold places that living ones need. */
const longestWait = 131_072;

export interface SendLimits {
  /** ACKWindowSize of this node. */
  readonly ackWindowSize: number;
  /** ResendQueueSize. */
  readonly resendLimit: number;
}

export class SendWindow {
  readonly #size: number;
  /** The highest own number that the peer spoke of, and when it did. */
  #answered: number;
  #answeredAt: Microseconds | undefined;

  /** `firstSequence` is the number of the first message. */
  constructor({ ackWindowSize, resendLimit }: SendLimits, firstSequence: number) {
    // Within the resend queue's limit nothing is dropped from it while the peer answers.
    const wanted = Math.max(ordinaryWindow, 4 * ackWindowSize);
    this.#size = Math.min(wanted, Math.max(1, resendLimit));
    this.#answered = (firstSequence - 1) >>> 0;
  }

  /** The peer spoke of own numbers up to `to`. */
  heard(to: number, nextSequence: number, now: Microseconds): void {
    const isOurs = sequenceDistance(to, nextSequence) < 0;
    if (isOurs && sequenceDistance(to, this.#answered) > 0) this.#answered = to;
    this.#answeredAt = now;
  }

  /** Whether the message `nextSequence` may go out while so many flows wait. */
  isOpen(nextSequence: number, waiting: number): boolean {
    return waiting > longestWait || sequenceDistance(nextSequence, this.#answered) <= this.#size;
  }

  /** Something waits behind it: from here on the peer's silence counts. */
  closed(now: Microseconds): void {
    this.#answeredAt ??= now;
  }

  /** It was closed for long: the peer is slow, or acknowledges rarely. A little goes out anyway. */
  unblock(now: Microseconds, timeout: Microseconds): void {
    if (this.#answeredAt !== undefined && subtractTime(now, this.#answeredAt) < timeout) return;
    this.#answered = (this.#answered + this.#size) >>> 0;
    this.#answeredAt = now;
  }
}
