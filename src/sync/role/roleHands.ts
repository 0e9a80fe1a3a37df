/**
 * What the role runner can do: works, each a promise, and things that are done at once. They decide
 * nothing.
 */
import type { Microseconds } from '../../base/time.js';
import type { Mastership } from '../comparison/mastership.js';
import type { Stance } from '../local/internalCache.js';
import type { CommitSummary, MergeSummary } from '../messages.js';
import type { MergePass } from './commitWork.js';
import type { PurgeOutcome } from './roleEvents.js';
import type { PeerFacts, StepDown } from './roleState.js';

/** That one node gave way to the other, as both tell each other. */
export interface Notices {
  /** This node's, repeated until the peer has answered. */
  tell(notice: StepDown): void;
  forget(): void;
  /** The peer's: its flows are merged; undefined: there was nothing to merge. */
  acknowledge(merged: MergeSummary | undefined): void;
  /** Nobody works on the peer's any more: its next repetition is news. */
  abandon(): void;
}

export interface RoleHands {
  /** What is known of the peer now. */
  facts(): PeerFacts;
  /** When the peer's replication was heard last. */
  readonly heardAt: Microseconds | undefined;
  readonly mastership: Pick<Mastership, 'begin' | 'complete' | 'end'>;
  /** Absent where the peer channel is off. */
  readonly notices: Notices | undefined;
  /** Entries of the internal cache. */
  bulkEntries(): number;
  setStance(stance: Stance): void;
  /**
   * Resolves when no commit, no pass of a merge and no taking back runs any more; what was injected
   * stays.
   */
  stop(): Promise<void>;
  /** Follows the peer, then commits the external cache. Rejects with KernelError. */
  commit(onProgress: (committed: number) => void): Promise<CommitSummary>;
  readonly following: 'takeover' | 'merge' | undefined;
  /** Throws KernelError. */
  followMerge(): void;
  /** Flows that following a merge has created. */
  stopFollowing(): number;
  /** Removes what was committed in advance; number of flows. Rejects with KernelError. */
  undo(): Promise<number>;
  /** Rejects with KernelError. */
  resync(): Promise<void>;
  readLeftovers(): Promise<void>;
  renewLeftovers(): Promise<void>;
  dropLeftovers(): void;
  /** Rejects with KernelError. */
  purge(by: 'content' | 'completion'): Promise<PurgeOutcome>;
  /** Nothing more is removed. */
  stopPurge(): void;
  /** Rejects with KernelError. */
  openWindows(onProgress: () => void): Promise<{ readonly cancelled: boolean }>;
  /** `followed`: created by following so far. Rejects with KernelError. */
  mergePass(onProgress: () => void): Promise<MergePass & { readonly followed: number }>;
  startBulk(because: string): void;
  clearExternal(): void;
  askForAll(because: string): void;
  checkContent(): void;
  sayWasMaster(until: Microseconds): void;
}
