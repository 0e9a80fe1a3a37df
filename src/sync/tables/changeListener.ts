/**
 * Between a cache and whoever sends its changes: what one says to the other, and where a bulk finds
 * the flows.
 */
import type { ExpectationEntry } from './expectations.js';

/** Who must hear of changes. */
export interface ChangeListener {
  flowChanged(slot: number): void;
  /** The slot is DEAD; the listener removes it when the peer need not hear of it any more. */
  flowDied(slot: number): void;
  /** The slot is about to be freed. */
  flowForgotten(slot: number): void;
  expectationChanged(entry: ExpectationEntry): void;
  expectationDied(entry: ExpectationEntry): void;
  expectationForgotten(entry: ExpectationEntry): void;
  /** Everything was forgotten at once. */
  cleared(): void;
  /** A change could not be kept until it is sent: the peer must be sent everything. */
  changeLost(): void;
  /**
   * The table is full: what waits longest for the peer is given up until `hasRoom`, and everything
   * sent later.
   */
  makeRoom(hasRoom: () => boolean): void;
}

/** Where a bulk puts what it finds. */
export type BulkSink = Pick<ChangeListener, 'flowChanged' | 'expectationChanged'>;

/** Where a bulk finds the flows. */
export interface Walk {
  begin(): void;
  /** Queues some more; to be called when nothing waits. True once all were queued. */
  step(): boolean;
  /** Flows queued since `begin`. */
  readonly entries: number;
  stop(): void;
}
