/** What two nodes tell each other of a target. Plain data; src/sync carries it. */
import type { Microseconds } from '../../base/time.js';
import type { Answer } from './comparison.js';
import type { AddressVerdict } from './targetState.js';

/** `blind`: the socket is flooded, and what was known of the address stays. */
export type ShownState = AddressVerdict | 'blind';

/** Figures of one address, of the last minute. */
export interface AddressFigures {
  /** `icmp 198.51.100.1` */
  readonly address: string;
  readonly state: ShownState;
  /** How long it has been so. */
  readonly age: Microseconds;
  /** Absent where nothing was answered. */
  readonly roundTrip?: {
    readonly last: Microseconds;
    readonly median: Microseconds;
    readonly worst: Microseconds;
  };
  readonly answered: number;
  readonly lost: number;
}

export interface TargetWord {
  readonly name: string;
  readonly state: ShownState;
  readonly age: Microseconds;
  /** 1 to 2^32 - 1; 0: nothing is asked. */
  readonly question: number;
  /** To the question of the other node that was heard last. */
  readonly answer?: { readonly question: number; readonly says: Answer };
  readonly addresses: readonly AddressFigures[];
}
