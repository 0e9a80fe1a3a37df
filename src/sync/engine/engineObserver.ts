/**
 * What happens in an engine, for whoever stands beside the replication: peer channel, merge,
 * status.
 */
import type { Microseconds } from '../../base/time.js';

export interface EngineObserver {
  /** Ten times a second, four where nothing happens; `due` is when it should have been. */
  tick?(now: Microseconds, due: Microseconds): void;
  bulkDone?(since: number, entries: number): void;
  /** A new incarnation of the peer spoke. */
  peerRestarted?(): void;
  /** Flows of the external cache went otherwise than by a message about each of them. */
  externalEmptied?(): void;
  /** Whether the peer is one that says when its bulks have ended. */
  announcesEnds?(now: Microseconds): boolean;
  /** After each datagram of the peer. */
  received?(now: Microseconds): void;
  /** Something goes on that is to be looked at often. */
  isBusy?(): boolean;
  /** The engine is about to close its sockets. */
  engineEnds?(): Promise<void>;
}
