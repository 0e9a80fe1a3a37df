/**
 * The peer waits for an acknowledgement, during a hand-over. Its question comes on another socket
 * than the messages it is about: they may still be under way.
 */
import type { Microseconds } from '../../base/time.js';
import { sequenceDistance } from '../wire/header.js';

interface AcknowledgingReplicator {
  readonly machine: { readonly last: number | undefined };
  acknowledgeNow(now: Microseconds): void;
}

export class PeerWaits {
  /** Everything before this number is to be acknowledged. */
  #before: number | undefined;

  asked(sequence: number): void {
    this.#before = sequence;
  }

  /** Acknowledges at once, when everything is here. */
  look(replicator: AcknowledgingReplicator, now: Microseconds): void {
    const before = this.#before;
    if (before === undefined) return;
    const { last } = replicator.machine;
    if (last === undefined || sequenceDistance(last, (before - 1) >>> 0) < 0) return;
    this.#before = undefined;
    replicator.acknowledgeNow(now);
  }
}
