/** What the peer channel knows of the peer, for the status. */
import type { Microseconds } from '../../base/time.js';
import type { Parity, PeerHoldings } from '../messages.js';
import type { GreetedPeer } from './peerGreeting.js';

export interface PeerView extends Partial<GreetedPeer> {
  /** It says that it hears nothing of this node. */
  readonly hearsNothing?: boolean;
  readonly kind: 'none' | 'conntrackd' | 'keepstate';
  readonly holds?: PeerHoldings;
  readonly parity: Parity;
  /** Why it is unknown. */
  readonly parityBecause?: string;
  /** Monotonic times of the last comparison, and since when each of them found them equal. */
  readonly parityComparedAt?: Microseconds;
  readonly parityEqualSince?: Microseconds;
  /** Why its sockets are closed. */
  readonly channelRefused?: string;
}
