/** What the mirror of the kernel's table says, and to whom. */
import type { ChangedBits } from '../record/flowMerge.js';
import type { FlowCursor } from '../record/flowRecord.js';

export type FlowOrigin =
  /** An event caused by packets, timers or other programs. */
  | 'event'
  /** An event caused by a socket of this daemon. */
  | 'own'
  /** A pass of comparison. */
  | 'dump';

/** What became of the table. Slots may be read and their owner words written during the call. */
export interface MirrorListener {
  created(slot: number, origin: FlowOrigin): void;
  /** `changed` may be 0: the kernel repeated what was known. */
  updated(slot: number, changed: ChangedBits, origin: FlowOrigin): void;
  /**
   * The kernel has the flow no more; the slot holds its last known state. The listener marks it
   * DEAD or removes it.
   */
  destroyed(slot: number, origin: FlowOrigin): void;
  /** The table is full: a flow was not taken. */
  refused(origin: FlowOrigin): void;
  /** The table is full: true where a place was freed. */
  makeRoom?(): boolean;
}

/**
 * Flows that the peer sent and that were written into the kernel, as far as the mirror asks for
 * them.
 */
export interface InjectedFlows {
  /** Whether what this daemon's sockets create stands in the kernel for the peer. */
  readonly isInjecting: boolean;
  /** A pass of comparison begins: what it does not ask for is not in the kernel any more. */
  beginPass(): void;
  endPass(isComplete: boolean): void;
  holds(flow: FlowCursor): boolean;
  /** The kernel has ended it, or this node's traffic uses it. True where it was one of them. */
  ended(flow: FlowCursor): boolean;
  /** This node is MASTER: what was injected so far is its own. */
  takeOver(): void;
}

/** The peer's flows are kept in a cache: none of them is in the kernel for its sake. */
export const noInjectedFlows: InjectedFlows = {
  isInjecting: false,
  beginPass: () => undefined,
  endPass: () => undefined,
  holds: () => false,
  ended: () => false,
  takeOver: () => undefined,
};
