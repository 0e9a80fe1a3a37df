/**
 * What happens to the role of a sync worker: commands of the main thread, reports of works that it
 * has begun, facts of the peer, timers, and the engine's beginning and end. Each carries the
 * monotonic time at which it happened.
 */
import type { Microseconds } from '../../base/time.js';
import type { ComparedOutcome } from '../comparison/comparedPurge.js';
import type { CommitSummary, MergeSummary } from '../messages.js';
import type { PeerFacts } from './roleState.js';

export type RoleTimer =
  /** The purge is due. */
  | 'purge'
  /** The MASTER had time enough to merge this kernel's flows. */
  | 'purgeHold'
  /** The table of the other MASTER is waited for. */
  | 'mergeTable'
  /** Neighbours know by now where the addresses are. */
  | 'mergeFollow';

/** What a purge came to. */
export type PurgeOutcome =
  | ComparedOutcome
  /** By completion: what does not stay for the peer is gone. */
  | { readonly kind: 'all'; readonly removed: number }
  /** The kernel refused: nothing more is tried. */
  | { readonly kind: 'failed'; readonly because: string };

/** Commands of messages.ts that are about the role. */
export type RoleCommandEvent =
  | { readonly kind: 'preCommit'; readonly epoch: number }
  | { readonly kind: 'undoPreCommit'; readonly epoch: number }
  | { readonly kind: 'becomeMaster'; readonly epoch: number; readonly preCommitted: boolean }
  | { readonly kind: 'takeoverComplete'; readonly epoch: number }
  | {
      readonly kind: 'becomeBackup';
      readonly epoch: number;
      readonly peerHeard: boolean;
      /** This node gave way; `token`: chance, the runner adds it. */
      readonly stepDown?: { readonly masterFor: Microseconds; readonly token: number };
    }
  | { readonly kind: 'becomeFault'; readonly epoch: number }
  | { readonly kind: 'otherMasterHeard'; readonly epoch: number }
  | { readonly kind: 'mergeAfterSplit'; readonly epoch: number }
  | { readonly kind: 'yieldIgnored' }
  | { readonly kind: 'yieldUnproven' }
  | { readonly kind: 'wasMaster'; readonly until: Microseconds };

/** What became of a work; `work` is its number. */
export type WorkReport =
  /** Nothing of an earlier command touches the kernel any more. */
  | { readonly kind: 'stopped'; readonly work: number }
  | {
      readonly kind: 'commitProgress';
      readonly work: number;
      readonly epoch: number;
      readonly committed: number;
    }
  | {
      readonly kind: 'committed';
      readonly work: number;
      readonly epoch: number;
      readonly summary: CommitSummary;
    }
  | {
      readonly kind: 'commitFailed';
      readonly work: number;
      readonly epoch: number;
      readonly because: string;
      /** The peer is followed all the same. */
      readonly isFollowing: boolean;
    }
  /** `because`: the kernel refused. */
  | {
      readonly kind: 'undone';
      readonly work: number;
      readonly removed: number;
      readonly because?: string;
    }
  /** `because`: the kernel refused. */
  | { readonly kind: 'resynced'; readonly work: number; readonly because?: string }
  | { readonly kind: 'leftoversRead'; readonly work: number }
  | { readonly kind: 'purgeEnded'; readonly work: number; readonly outcome: PurgeOutcome }
  | { readonly kind: 'windowsOpened'; readonly work: number; readonly cancelled: boolean }
  | { readonly kind: 'mergeProgress'; readonly work: number }
  | {
      readonly kind: 'mergePassed';
      readonly work: number;
      readonly created: number;
      readonly failed: number;
      readonly cancelled: boolean;
      /** Created by following, since that began. */
      readonly followed: number;
    }
  /** A work of the merge could not be done. */
  | { readonly kind: 'mergeBroke'; readonly work: number; readonly because: string }
  /** The peer's messages cannot be followed for a merge. */
  | { readonly kind: 'followFailed'; readonly because: string }
  /** Following a merge has ended; flows that it created. */
  | { readonly kind: 'followed'; readonly created: number };

export type RoleEvent = { readonly at: Microseconds } & (
  | RoleCommandEvent
  | WorkReport
  | ({ readonly kind: 'peer' } & PeerFacts)
  /** The MASTER to which this node gave way knows it; `merged` where it has merged its flows. */
  | { readonly kind: 'stepDownAnswered'; readonly merged?: MergeSummary }
  /** The client's `-t`. */
  | { readonly kind: 'purgeAsked' }
  /** The client commits or empties the external cache by hand: what is scheduled is forgotten. */
  | { readonly kind: 'purgeForgotten' }
  | {
      readonly kind: 'timer';
      readonly timer: RoleTimer;
      /** When the peer's replication was heard last. */
      readonly heardAt?: Microseconds;
    }
  /** Another engine follows: what is committed in advance is taken back before. */
  | { readonly kind: 'restartWanted' }
  /** The engine ends; works that run report no more. */
  | { readonly kind: 'closed' }
  /** An engine is there, with empty caches. */
  | { readonly kind: 'engineStarted' }
);
