/**
 * What the sync worker remembers of its role: plain readonly data, so that it can be recorded, and
 * taken along by an engine that is started afresh. `docs/architecture.md` has the rules (R1 to
 * R30).
 */
import type { Microseconds } from '../../base/time.js';
import { seconds } from '../../base/time.js';
import type { Stance } from '../local/internalCache.js';
import type { CommitSummary } from '../messages.js';

export type WorkerRole = 'INIT' | 'MASTER' | 'BACKUP' | 'FAULT';

/** Of the engine's settings, what decides. */
export interface RoleSettings {
  readonly purgeTimeout: Microseconds;
  /** DisableInternalCache: nobody can tell which flows of the kernel are this node's own. */
  readonly internalBypass: boolean;
  /** DisableExternalCache: the peer's flows stand in the kernel, and nothing is to be committed. */
  readonly injectsDirectly: boolean;
}

/** This node gave way to a stronger MASTER; the peer is told until it has answered. */
export interface StepDown {
  /** Tells one notice from the next. */
  readonly token: number;
  readonly masterFor: Microseconds;
  readonly endedAt: Microseconds;
}

/** What follows once nothing that was begun for an earlier command touches the kernel any more. */
export type Next =
  /** `isAwaited`: the role has come already, and waits for this commit. */
  | { readonly to: 'commitAhead'; readonly isAwaited: boolean }
  | { readonly to: 'commitForRole' }
  | { readonly to: 'undo' }
  | Leaving
  | { readonly to: 'complete'; readonly clearsExternal: boolean };

export interface Leaving {
  readonly to: 'leave';
  readonly peerHeard: boolean;
  /** BACKUP: the peer is asked for its table. */
  readonly asksPeer: boolean;
  readonly stepDown?: Omit<StepDown, 'endedAt'>;
}

/** How far the last command was carried out. `work`: the report of this number is awaited. */
export type Course =
  | { readonly stage: 'rest' }
  /** What still runs for an earlier command ends first. */
  | {
      readonly stage: 'stopping';
      readonly work: number;
      readonly next: Next;
      /**
       * A role that was left, and that another command came upon before that was done: it comes
       * first.
       */
      readonly leaves?: Leaving;
    }
  /** `aheadThenRole`: the role came while it was committed in advance. */
  | {
      readonly stage: 'committing';
      readonly work: number;
      readonly for: 'ahead' | 'aheadThenRole' | 'role';
    }
  /** Committed in advance, and followed. */
  | { readonly stage: 'prepared'; readonly summary: CommitSummary }
  | { readonly stage: 'undoing'; readonly work: number }
  /**
   * Own flows that the commit replaced bear other ids now: the cache is compared with the kernel.
   */
  | { readonly stage: 'comparing'; readonly work: number }
  /** The last step of taking back. */
  | { readonly stage: 'readingLeftovers'; readonly work: number }
  /** The takeover is complete once the internal cache is what the kernel holds. */
  | { readonly stage: 'completing'; readonly work: number };

/** What is known of the last purge, or of the one that goes on. */
export interface PurgeView {
  /** `content`: flow by flow. `completion`: the MASTER cannot list what it holds. */
  readonly by: 'content' | 'completion';
  readonly removed: number;
  /** Flows that stay because the MASTER neither holds nor ended them. */
  readonly kept: number;
  /** Why nothing was decided the last time. */
  readonly because?: string;
}

export interface PurgeState {
  /** `due`: its time has come, and what it waits for has not. */
  readonly stage: 'none' | 'scheduled' | 'due' | 'running';
  /** Monotonic time; undefined: nothing is left to purge. */
  readonly due: Microseconds | undefined;
  /** False for the client's `-t`, which asks for the purge whatever the role. */
  readonly waitsForMaster: boolean;
  /** Another MASTER was heard since the role left. */
  readonly isMasterHeard: boolean;
  /** The other MASTER still has to merge this kernel's flows. */
  readonly heldUntil: Microseconds | undefined;
  /** The peer said that it cannot list its flows. */
  readonly isBlind: boolean;
  /** Until what nobody else has is compared again. */
  readonly pause: Microseconds;
  /** Of the one that runs. */
  readonly work: number | undefined;
  readonly view: PurgeView | undefined;
}

/** The flows of two MASTERs become one table. */
export interface MergeState {
  readonly stage: 'openingWindows' | 'firstPass' | 'awaitingTable' | 'lastPass' | 'following';
  readonly startedAt: Microseconds;
  readonly work: number | undefined;
  /** Since when the peer's table is waited for. */
  readonly waitsSince: Microseconds | undefined;
}

/** Flows that merging created, of all merges that followed each other without a pause. */
export interface MergeCount {
  readonly created: number;
  /** Of these, what was told with the last merge. */
  readonly reported: number;
  /** Works of a smaller number belong to another role. */
  readonly firstWork: number;
}

/** What is known of the peer. */
export interface PeerFacts {
  /** A keepstate is heard on the peer channel. */
  readonly isKeepstate: boolean;
  /** Whether it can list its flows. `unknown`: it is silent, or was not greeted yet. */
  readonly ability: 'compares' | 'cannot' | 'unknown';
  /** Its whole table was received since the last request. */
  readonly isCaughtUp: boolean;
}

export interface RoleState {
  readonly role: WorkerRole;
  /** What has an older one is out of date. */
  readonly epoch: number;
  /** undefined while this node is not MASTER. */
  readonly masterSince: Microseconds | undefined;
  /** As MASTER: its kernel has all that was there to take over. */
  readonly isComplete: boolean;
  /**
   * Until when this node was MASTER, in this boot; undefined: it was not, as far as it is known.
   */
  readonly masterUntil: Microseconds | undefined;
  readonly stance: Stance;
  readonly course: Course;
  /** Whether the peer's messages go to the kernel, and how (commitWork.ts). */
  readonly following: 'none' | 'takeover' | 'merge';
  /** Flows may have begun during a commit that no event told of and no comparison found. */
  readonly hasMissed: boolean;
  readonly purge: PurgeState;
  readonly merge: MergeState | undefined;
  readonly mergeCount: MergeCount;
  /** What the peer does not know yet. */
  readonly stepDown: StepDown | undefined;
  readonly peer: PeerFacts;
  /** Number of the last work that was begun. */
  readonly works: number;
}

/** What nobody else has is compared again after this, then after growing pauses. */
export const firstPause = seconds(10);

export const noPurge: PurgeState = {
  stage: 'none',
  due: undefined,
  waitsForMaster: true,
  isMasterHeard: false,
  heldUntil: undefined,
  isBlind: false,
  pause: firstPause,
  work: undefined,
  view: undefined,
};

export const initialRole: RoleState = {
  role: 'INIT',
  epoch: -1,
  masterSince: undefined,
  isComplete: false,
  masterUntil: undefined,
  stance: 'own',
  course: { stage: 'rest' },
  following: 'none',
  hasMissed: false,
  purge: noPurge,
  merge: undefined,
  mergeCount: { created: 0, reported: 0, firstWork: 0 },
  stepDown: undefined,
  peer: { isKeepstate: false, ability: 'unknown', isCaughtUp: false },
  works: 0,
};

/** Nothing is being done for the last command, and nothing is committed in advance. */
export function isAtRest({ course, stance, role }: RoleState): boolean {
  return course.stage === 'rest' && (stance !== 'committingAhead' || role === 'MASTER');
}
