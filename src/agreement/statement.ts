/**
 * What a node says of one unit in each of its beats: a state, not a message, so that a lost beat
 * costs nothing. Of two statements the one of the later (session, sequence) counts.
 */

export type Role = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

/**
 * `unknown`: not yet heard both ways in this session, or ended in order. `blind`: flooded, says
 * nothing. `down`: this node's carrier is lost.
 */
export type PathState = 'unknown' | 'living' | 'silent' | 'blind' | 'down';

/** Who answers this node on a segment: who is answered serves it. */
export interface Reach {
  /** Neighbours that answered, of at most 8 that were asked. */
  readonly answered: number;
  readonly hasCarrier: boolean;
  /** The segment's targets are reached, or there are none. */
  readonly hasTargets: boolean;
}

export interface UnitStatement {
  /** `INIT`: it starts, or listens before it speaks. */
  readonly role: Role;
  /** The highest that it knows. */
  readonly term: number;
  /** The term in which it was MASTER last; 0: it never was. */
  readonly held: number;
  /** The term in which it is about to take the role without a hand-over; 0: it is not. */
  readonly claims: number;
  /** Names of faulty members; the first 8. */
  readonly faulty: readonly string[];
  /** MASTER in spite of them. */
  readonly isLastResort: boolean;
  readonly isSynchronised: boolean;
  readonly isInMaintenance: boolean;
  /** Effective, as in its adverts. */
  readonly priority: number;
  /** Of its first member. */
  readonly address: string;
  /** By node and path: how it hears them. */
  readonly hears: Readonly<Record<string, Readonly<Record<string, PathState>>>>;
  /** Of segments in doubt that it has asked. */
  readonly reach: Readonly<Record<string, Reach>>;
  /** Neighbours of those segments that it asks, at most 8: the other node is to ask the same. */
  readonly asks: readonly string[];
}
