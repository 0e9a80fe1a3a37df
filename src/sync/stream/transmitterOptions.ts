/** What a transmitter is made of. */
import type { RandomSource } from '../../base/time.js';
import type { SyncMode } from '../settings.js';
import type { BulkSink, Walk } from '../tables/changeListener.js';
import type { ExpectationEntry } from '../tables/expectations.js';
import type { FingerprintedTable } from '../tables/fingerprintedTable.js';
import type { DatagramBuilder } from '../wire/datagramBuilder.js';
import type { FlowWriter } from '../wire/flowWriter.js';

/** What is sent: the internal cache. */
export interface SentCache {
  readonly table: FingerprintedTable;
  /** The peer knows the present content of the slot, or need not. */
  acknowledged(slot: number): void;
  acknowledgedExpectation(entry: ExpectationEntry): void;
}

export interface TransmitterOptions {
  readonly mode: SyncMode;
  readonly cache: SentCache;
  readonly builder: DatagramBuilder;
  readonly writer: Pick<FlowWriter, 'write'>;
  readonly sendTimeout: boolean;
  readonly resendLimit: number;
  readonly ackWindowSize: number;
  readonly refreshSeconds: number;
  readonly random: RandomSource;
  /** Where a bulk finds the flows. */
  readonly newWalk: (sink: BulkSink) => Walk;
  /**
   * A bulk has ended, and in FTFW was acknowledged in full: what has no number since `since` is
   * gone.
   */
  readonly bulkDone: (since: number, entries: number) => void;
  /** An own RESYNC was acknowledged. */
  readonly resyncAcknowledged: () => void;
  /** The first of possibly many changes waits to be sent. */
  readonly wake: () => void;
}
