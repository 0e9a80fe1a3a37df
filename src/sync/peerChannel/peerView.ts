/** What the peer channel knows of the peer, for the status. */
import type { Parity, PeerHoldings } from '../messages.js';
import type { GreetedPeer } from './peerGreeting.js';

export interface PeerView extends Partial<GreetedPeer> {
  readonly kind: 'none' | 'conntrackd' | 'keepstate';
  readonly holds?: PeerHoldings;
  readonly parity: Parity;
  /** Why it is unknown. */
  readonly parityBecause?: string;
  /** Why its sockets are closed. */
  readonly channelRefused?: string;
}
