/**
 * Vocabulary of the role coordinator: what it remembers, what can happen, what it asks for. All
 * plain data; each event carries the monotonic time at which it happened, each timer is an action
 * with a duration in it.
 */
import type { IpAddress } from '../base/ipAddress.js';
import type { LogFields, LogLevel } from '../base/logger.js';
import type { Microseconds } from '../base/time.js';
import type { CommitSummary, MergeSummary, SyncCommand } from '../sync/messages.js';

export type Role = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

export interface CoordinatorSettings {
  /** VIPs wait this long without progress of the commit. */
  readonly commitDeadline: Microseconds;
  /** VIPs wait no longer than this in all. */
  readonly commitLimit: Microseconds;
  /** Preemption waits this long for the external table to catch up with the peer. */
  readonly preemptSyncTimeout: Microseconds;
  /** The role is taken from a living MASTER of lower priority; false with nopreempt. */
  readonly preempts: boolean;
}

export type CoordinatorTimer =
  /** No progress of the commit for `commitDeadline`. */
  | 'commitProgress'
  /** The commit took `commitLimit` in all. */
  | 'commitLimit'
  /** The external table did not catch up. */
  | 'preemptSync'
  /** A prepared takeover was not used. */
  | 'preparation'
  /** Nobody took the role that was handed over. */
  | 'handOver'
  /** The flows of two masters are not merged yet. */
  | 'merge'
  /** The MASTER to which this node gave way has not answered: it may not know of it. */
  | 'testimony';

/** Why flows are committed before the role is ours. */
export interface Preparation {
  readonly for: 'preemption' | 'handOver' | 'silence';
  /** The unit's epoch of the wish, to answer it; otherwise undefined. */
  readonly unitEpoch: number | undefined;
  /** `awaitingSync`: not caught up yet. `committing`. `ready`: committed, waiting for the role. */
  readonly stage: 'awaitingSync' | 'committing' | 'ready';
  /** Of the commit, once `ready`; undefined where nothing was committed. */
  readonly summary?: CommitSummary;
}

/** A role change to MASTER on its way. */
export interface Takeover {
  readonly unitEpoch: number;
  readonly startedAt: Microseconds;
  /** `held`: wait for the commit. `released`: asked for. `up`: present and announced. */
  readonly vips: 'held' | 'released' | 'up';
  /** When they came up; undefined while they are not, and where they were never away. */
  readonly vipsUpAt?: Microseconds;
  readonly commit: 'running' | CommitSummary;
  readonly isRestart: boolean;
}

/** This node hands the role over. */
export interface HandOver {
  readonly requestId: number;
  readonly startedAt: Microseconds;
  readonly force: boolean;
  /** For the history; absent: planned. */
  readonly because?: string;
  /** Maintenance follows when done. */
  readonly thenMaintenance: boolean;
  /** `preparing`: replication is drained and a keepstate peer commits, at the same time. */
  readonly stage: 'preparing' | 'resigned';
  /** The worker's answers that are still awaited. */
  readonly awaitedIds: readonly number[];
  /** The one that says whether the peer is ready; undefined where it was not asked. */
  readonly offerId: number | undefined;
  readonly peerIsReady: boolean;
}

/** The flows of two masters become one table. */
export interface Merge {
  readonly startedAt: Microseconds;
  /**
   * The neighbours are told where the addresses are when the kernel has the flows, or it takes too
   * long.
   */
  readonly isAnnounced: boolean;
}

/**
 * Nothing on the peer channel is sealed: what would move the role, or put flows into a MASTER's
 * kernel, VRRP must show.
 */
export interface Evidence {
  /** Addresses, as text, of routers whose adverts were accepted; the last few. */
  readonly advertisers: readonly string[];
  /** When another MASTER was heard last while this node was MASTER. */
  readonly rivalSeen: Microseconds | undefined;
  /** This MASTER resumed its role after a crash, in which another may have taken it. */
  readonly resumed: Microseconds | undefined;
  /** The peer said that it had resigned; VRRP has not shown it yet. */
  readonly granted: Microseconds | undefined;
  /** When a merge began because the peer said that it gave way. */
  readonly yieldMerged: Microseconds | undefined;
  /** What the peer said of its giving way, which VRRP has not shown yet. */
  readonly unproven: { readonly because: string; readonly at: Microseconds } | undefined;
}

export interface CoordinatorState {
  readonly role: Role;
  /** When this node became MASTER; undefined while it is not. */
  readonly masterSince: Microseconds | undefined;
  /**
   * It replaced a living master, or was handed the role: that one ends just after this one has
   * begun.
   */
  readonly isSuccessor: boolean;
  /** Counted here, told to the worker; grows with each role change and each preparation. */
  readonly epoch: number;
  readonly worker: 'starting' | 'running' | 'down';
  readonly caughtUp: boolean;
  /** What the worker last said of the peer. */
  readonly peer: {
    readonly kind: 'none' | 'conntrackd' | 'keepstate';
    readonly isSynchronised: boolean;
  };
  readonly preparation: Preparation | undefined;
  readonly takeover: Takeover | undefined;
  readonly handOver: HandOver | undefined;
  readonly maintenance: boolean;
  /** Another MASTER was heard since the last role change. */
  readonly otherMasterHeard: boolean;
  readonly merge: Merge | undefined;
  readonly lastMerge: Microseconds | undefined;
  /** What VRRP has shown of other routers, beside which the peer channel is believed. */
  readonly evidence: Evidence;
  /** Adverts that are still to show the stronger MASTER that this node was MASTER too. */
  readonly testimonies: number;
  /**
   * Next identification of a command that is answered by a result; negative, so that they never
   * meet others'.
   */
  readonly nextId: number;
}

export type CoordinatorEvent = { readonly at: Microseconds } & (
  | {
      readonly kind: 'roleChanged';
      readonly to: Role;
      readonly because: string;
      readonly unitEpoch: number;
      readonly vipsWait: boolean;
      readonly isResumed: boolean;
      /** The address of the stronger MASTER to which this one gave way. */
      readonly yieldedTo?: IpAddress;
    }
  | { readonly kind: 'preemptionWanted'; readonly unitEpoch: number }
  | { readonly kind: 'preemptionWithdrawn'; readonly because: string }
  /** Master-down is near. */
  | { readonly kind: 'masterSilent' }
  /** While MASTER another router claimed to be it; `because` names it. */
  | { readonly kind: 'otherMasterSeen'; readonly because: string; readonly address?: string }
  /** The advert of this router was accepted while this node was not MASTER. */
  | { readonly kind: 'advertiser'; readonly address: string }
  /** The MASTER said priority 0. */
  | { readonly kind: 'masterResigned' }
  /**
   * The peer was MASTER for `masterFor`, until it gave way `ago` to a stronger one, most likely to
   * this.
   */
  | {
      readonly kind: 'peerYielded';
      readonly name: string;
      readonly masterFor: Microseconds;
      readonly ago: Microseconds;
      /** Who said so, where the configuration does not name that one. */
      readonly from?: string;
    }
  | { readonly kind: 'yieldAnswered' }
  | { readonly kind: 'mergeProgress'; readonly epoch: number }
  | { readonly kind: 'mergeReady'; readonly epoch: number }
  | { readonly kind: 'mergeFailed'; readonly epoch: number }
  | { readonly kind: 'merged'; readonly epoch: number; readonly summary: MergeSummary }
  /** While not MASTER an advertisement was accepted. */
  | { readonly kind: 'otherMasterHeard' }
  | { readonly kind: 'vipsUp' }
  | { readonly kind: 'workerReady' }
  | { readonly kind: 'workerDown'; readonly because: string }
  | { readonly kind: 'commitProgress'; readonly epoch: number }
  | { readonly kind: 'committed'; readonly epoch: number; readonly summary: CommitSummary }
  | { readonly kind: 'caughtUp' }
  | {
      readonly kind: 'peer';
      readonly peerKind: 'none' | 'conntrackd' | 'keepstate';
      readonly isSynchronised: boolean;
    }
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly ok: boolean;
      readonly message: string;
    }
  | { readonly kind: 'handoverOffered'; readonly from?: string }
  | {
      readonly kind: 'handoverGranted';
      readonly from?: string;
      /** The MASTER said priority 0 within the last second. */
      readonly hasResigned: boolean;
    }
  | { readonly kind: 'timer'; readonly timer: CoordinatorTimer }
  | {
      readonly kind: 'failover';
      readonly requestId: number;
      readonly force: boolean;
      /** What asks for it where that is no operator; absent: planned. */
      readonly because?: string;
    }
  | { readonly kind: 'failoverRelease'; readonly requestId: number }
  | {
      readonly kind: 'maintenance';
      readonly requestId: number;
      readonly on: boolean;
      readonly force: boolean;
    }
);

export type CoordinatorAction =
  | { readonly kind: 'post'; readonly command: SyncCommand }
  | { readonly kind: 'releaseVips'; readonly unitEpoch: number; readonly because: string }
  | { readonly kind: 'grantPreemption'; readonly unitEpoch: number }
  | { readonly kind: 'resign'; readonly because: string }
  | { readonly kind: 'assumeRole'; readonly because: string }
  | { readonly kind: 'releasePreemption' }
  /** Gratuitous ARP for all VIPs. */
  | { readonly kind: 'announce' }
  /** One advert of each member, although this node is not MASTER. */
  | { readonly kind: 'testify' }
  /** Two masters: a line in the history, and a problem for a while. */
  | { readonly kind: 'split'; readonly because: string }
  /** Completes the line of the split. */
  | { readonly kind: 'merged'; readonly summary: MergeSummary }
  /** To the machine, and to the state file. */
  | { readonly kind: 'maintenance'; readonly on: boolean }
  | {
      readonly kind: 'startTimer';
      readonly timer: CoordinatorTimer;
      readonly duration: Microseconds;
    }
  | { readonly kind: 'stopTimer'; readonly timer: CoordinatorTimer }
  /** A takeover is complete: goes into the history beside its transition. */
  | {
      readonly kind: 'takeoverDone';
      readonly summary: CommitSummary;
      /** From the decision to VIPs up. */
      readonly duration: Microseconds;
    }
  | {
      readonly kind: 'answer';
      readonly requestId: number;
      readonly ok: boolean;
      readonly code: string;
      readonly message: string;
      readonly remedy?: string;
    }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: LogFields;
    };

/** State and what it asked for so far; the steps of takeOver.ts and handOver.ts extend it. */
export interface Step {
  readonly state: CoordinatorState;
  readonly actions: readonly CoordinatorAction[];
}

export const initialCoordinator: CoordinatorState = {
  role: 'INIT',
  epoch: 0,
  worker: 'starting',
  caughtUp: false,
  peer: { kind: 'none', isSynchronised: false },
  preparation: undefined,
  takeover: undefined,
  handOver: undefined,
  maintenance: false,
  otherMasterHeard: false,
  masterSince: undefined,
  isSuccessor: false,
  merge: undefined,
  lastMerge: undefined,
  evidence: {
    advertisers: [],
    rivalSeen: undefined,
    resumed: undefined,
    granted: undefined,
    yieldMerged: undefined,
    unproven: undefined,
  },
  testimonies: 0,
  nextId: -1,
};

/** `step` with a changed state and further actions. */
export function extend(
  step: Step,
  change: Partial<CoordinatorState>,
  ...actions: readonly CoordinatorAction[]
): Step {
  return { state: { ...step.state, ...change }, actions: [...step.actions, ...actions] };
}

export function post(command: SyncCommand): CoordinatorAction {
  return { kind: 'post', command };
}

export function startTimer(timer: CoordinatorTimer, duration: Microseconds): CoordinatorAction {
  return { kind: 'startTimer', timer, duration };
}

export function stopTimer(timer: CoordinatorTimer): CoordinatorAction {
  return { kind: 'stopTimer', timer };
}

export function logLine(
  level: LogLevel,
  message: string,
  fields: LogFields = {},
): CoordinatorAction {
  return { kind: 'log', level, message, fields };
}
