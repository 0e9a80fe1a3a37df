/** What a transmitter is made of. */
import type { RandomSource } from '../../base/time.js';
import type { BulkSink, Walk } from './bulkWalk.js';
import type { InternalCache } from '../local/internalCache.js';
import type { SyncMode } from '../settings.js';
import type { DatagramBuilder } from '../wire/datagramBuilder.js';
import type { FlowWriter } from '../wire/flowWriter.js';

export interface TransmitterOptions {
  readonly mode: SyncMode;
  readonly cache: InternalCache;
  readonly builder: DatagramBuilder;
  readonly writer: FlowWriter;
  readonly sendTimeout: boolean;
  readonly resendLimit: number;
  readonly ackWindowSize: number;
  readonly refreshSeconds: number;
  readonly random: RandomSource;
  /** Where a bulk finds the flows; absent: in the cache. */
  readonly walk?: (sink: BulkSink) => Walk;
  /** A bulk has ended, and in FTFW was acknowledged in full: what has no number since `since` is gone. */
  readonly bulkDone: (since: number, entries: number) => void;
  /** An own RESYNC was acknowledged. */
  readonly resyncAcknowledged: () => void;
  /** The first of possibly many changes waits to be sent. */
  readonly wake: () => void;
}
