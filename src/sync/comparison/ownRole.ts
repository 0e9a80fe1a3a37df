/** What two keepstates that talk of a role that has left must know of this node's own. */
import type { Microseconds } from '../../base/time.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { Mastership } from './mastership.js';

export interface OwnRole {
  readonly mastership: Mastership;
  /** Of the role that has left. */
  readonly leftovers: {
    readonly count: number;
    isStill(flow: FlowCursor, nowSeconds: number): boolean;
  };
  /** They are to be removed still. */
  readonly isPurgePending: boolean;
  /** The peer says that it was MASTER until `endedAt`, or (undefined) nothing of that. */
  peerWasMaster(endedAt: Microseconds | undefined, now: Microseconds): void;
}
