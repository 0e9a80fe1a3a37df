/**
 * What crosses the boundary between the main thread and the sync worker: one union per direction,
 * plain readonly data, at most about ten messages a second. Flows never cross it
 * (docs/architecture.md). `id` pairs a command with its result; `epoch` grows with each role
 * change, and work of an older epoch is dropped. Durations are milliseconds where the name says so.
 */
import type { LogFields, LogLevel } from '../base/logger.js';
import type { Microseconds } from '../base/time.js';
import type { RefusedSender } from './links/refusedSenders.js';
import type { SealStatus, SharedKey } from './seal/sealStatus.js';
import type { StatisticsSettings, SyncMode, SyncSettings, WorkerSettings } from './settings.js';
import type { NodeRoles } from './wire/peerRoles.js';
import type { TargetWord } from './wire/targetWords.js';

export type FlowTableName = 'conntrack' | 'expect';
export type CacheName = 'internal' | 'external';

/** Main thread to worker. */
export type SyncCommand =
  /** First message: open the sockets, fill the internal cache, start replicating. */
  | {
      readonly kind: 'start';
      readonly settings: SyncSettings;
      /** keepstate's own socket for listings and statistics, mode 0600. */
      readonly listingPath?: string;
      /** `UNIX { Path }`: the same service for conntrackd's own client. */
      readonly clientPath?: string;
      /** Events of the role machine are reported (`run --record`). */
      readonly records?: boolean;
      readonly statistics?: StatisticsSettings;
      /** A role drives this engine: connections that end are logged by the MASTER alone. */
      readonly hasRole?: boolean;
    }
  /** First message to a worker that replicates nothing: log the connections that end here. */
  | {
      readonly kind: 'startStatistics';
      readonly statistics: StatisticsSettings;
      readonly listingPath?: string;
      readonly clientPath?: string;
    }
  /** Before `start`, and before `reconfigure` where keys have changed: never logged or recorded. */
  | {
      readonly kind: 'keys';
      readonly keys: readonly SharedKey[];
      /** The peer has shown one of them before: nothing plain is taken any more. */
      readonly isPeerSealed: boolean;
    }
  /** After a reload: apply what can change in place; the worker answers what it restarted. */
  | { readonly kind: 'reconfigure'; readonly id: number; readonly settings: WorkerSettings }
  /** Log files were renamed (SIGHUP): they are opened anew. */
  | { readonly kind: 'reopenLogs' }
  /**
   * Before preempting a live master, or when it is silent: commit, then keep applying each accepted
   * change of the external table to the kernel until the takeover is complete or undoPreCommit.
   * Answered by progress and `committed`.
   */
  | { readonly kind: 'preCommit'; readonly epoch: number }
  /**
   * The role did not come: removes from the kernel what preCommit put there, that is each flow of
   * the external table that is not this node's own. A purge that was scheduled before goes on.
   */
  | { readonly kind: 'undoPreCommit'; readonly epoch: number }
  /** Commit the external table; answered by progress and `committed`. Cancels a scheduled purge. */
  | { readonly kind: 'becomeMaster'; readonly epoch: number; readonly preCommitted: boolean }
  /**
   * The VIPs are up: compare the internal cache with the kernel, bulk-send it; the external one of
   * a conntrackd is emptied.
   */
  | { readonly kind: 'takeoverComplete'; readonly epoch: number }
  /** VIPs are gone: request a resync, schedule the purge of kernel leftovers. */
  | {
      readonly kind: 'becomeBackup';
      readonly epoch: number;
      readonly peerHeard: boolean;
      /**
       * Present where this node gave way to a stronger MASTER: how long it had been MASTER. The
       * peer is told.
       */
      readonly yieldedAfter?: Microseconds;
    }
  /** Schedule the purge alone. */
  | { readonly kind: 'becomeFault'; readonly epoch: number }
  /** Another MASTER was heard in this epoch: the scheduled purge may run once its bulk is in. */
  | { readonly kind: 'otherMasterHeard'; readonly epoch: number }
  /**
   * This MASTER learnt that another was MASTER meanwhile: ask for a bulk, create what the kernel
   * lacks, make TCP windows liberal on what both have, never overwrite live NAT mappings. Answered
   * by progress, `mergeReady` and `merged`.
   */
  | { readonly kind: 'mergeAfterSplit'; readonly epoch: number }
  /** Answer to `peerYielded`: there is nothing to merge. */
  | { readonly kind: 'yieldIgnored' }
  /**
   * Answer to `peerYielded`: VRRP has not shown it yet; the peer's next repetition is news again.
   */
  | { readonly kind: 'yieldUnproven' }
  /**
   * An address or link went away: the kernel's mass deletes of the next moments are not replicated.
   */
  | { readonly kind: 'massDeleteExpected'; readonly for: Microseconds }
  /** Own addresses, VIPs included, as text: always ignored by the filter. */
  | { readonly kind: 'ownAddresses'; readonly addresses: readonly string[] }
  /** Whether this node never takes the role: the peer's status tells its operator. */
  | { readonly kind: 'maintenance'; readonly on: boolean }
  /** This node's groups and instances: the peer's status tells who is MASTER here. */
  | { readonly kind: 'roles'; readonly roles: NodeRoles }
  /** What this node knows of its targets: the peer compares it with what the peer reaches. */
  | { readonly kind: 'tellTargets'; readonly words: readonly TargetWord[] }
  /**
   * This node was MASTER until then, in an earlier life of its process and the same boot: the peer
   * is told.
   */
  | { readonly kind: 'wasMaster'; readonly until: Microseconds }
  | {
      readonly kind: 'linkState';
      readonly interfaceName: string;
      readonly isUsable: boolean;
      /** Bytes; absent where there is no such interface. */
      readonly mtu?: number;
      /**
       * Of the kernel; another one under the same name is another interface. Absent where there is
       * none.
       */
      readonly index?: number;
    }
  /** Planned hand-over: drain replication, then answer with a result. */
  | { readonly kind: 'drain'; readonly id: number; readonly timeout: Microseconds }
  /**
   * Beside `drain`, keepstate peer only: ask it to take the role. The `result` is ok once it
   * answered that its external table is committed and it is ready; not ok when it refuses or stays
   * silent for `timeout`.
   */
  | { readonly kind: 'offerHandover'; readonly id: number; readonly timeout: Microseconds }
  /** Answer to `handoverOffered`: tell the peer. */
  | { readonly kind: 'answerHandover'; readonly ready: boolean; readonly because: string }
  /** This node has just resigned: tell the peer at once, repeated a few times against loss. */
  | { readonly kind: 'handoverResigned' }
  | { readonly kind: 'request'; readonly id: number; readonly request: SyncRequest }
  | { readonly kind: 'stop'; readonly id: number };

/** conntrackd's client verbs; the worker answers each with a `result`. */
export type SyncRequest =
  | { readonly verb: 'commit'; readonly table: FlowTableName | 'all' }
  | { readonly verb: 'flush'; readonly cache: CacheName | 'all' }
  | { readonly verb: 'flushKernel'; readonly table: FlowTableName | 'all' }
  | { readonly verb: 'resync'; readonly table: FlowTableName | 'all' }
  | { readonly verb: 'request' }
  | { readonly verb: 'bulk' }
  | { readonly verb: 'purge' }
  | { readonly verb: 'stats' };

/** Worker to main thread. */
export type SyncReport =
  /** Clients are served, listings and conntrackd's verbs alike; the tables may still be filled. */
  | { readonly kind: 'listening' }
  | { readonly kind: 'ready'; readonly filled: number; readonly durationMs: number }
  | { readonly kind: 'commitProgress'; readonly epoch: number; readonly committed: number }
  | ({ readonly kind: 'committed'; readonly epoch: number } & CommitSummary)
  | { readonly kind: 'takeoverDone'; readonly epoch: number; readonly bulkEntries: number }
  | { readonly kind: 'mergeProgress'; readonly epoch: number }
  /**
   * What is known of the peer's flows is in the kernel, and no window is stale: traffic may come.
   */
  | { readonly kind: 'mergeReady'; readonly epoch: number }
  | { readonly kind: 'mergeFailed'; readonly epoch: number }
  /** The peer's whole table was merged. */
  | ({ readonly kind: 'merged'; readonly epoch: number } & MergeSummary)
  /**
   * keepstate peer only: it was MASTER for `masterMs`, until it gave way `agoMs` ago to a stronger
   * one.
   */
  | {
      readonly kind: 'peerYielded';
      readonly name: string;
      readonly masterMs: number;
      readonly agoMs: number;
      readonly from?: string;
    }
  /** The MASTER to which this node gave way knows it. */
  | { readonly kind: 'yieldAnswered' }
  /** The MASTER to which this node gave way has merged its flows. */
  | ({ readonly kind: 'yieldMerged' } & MergeSummary)
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly ok: boolean;
      /** For a person: what was done, or why not and the remedy. */
      readonly message: string;
      readonly counts: Readonly<Record<string, number>>;
      readonly durationMs: number;
    }
  /** Sent once a second, and at once when `state` or the peer's presence changes. */
  | { readonly kind: 'status'; readonly status: SyncStatus }
  /** The log of connections that ended, once a second. */
  | { readonly kind: 'statistics'; readonly status: StatisticsStatus }
  /**
   * The external table has caught up with the peer (end of bulk seen, or assumed; see `parity`).
   */
  | { readonly kind: 'caughtUp'; readonly entries: number }
  /** keepstate peer only: what it knows of its targets. */
  | { readonly kind: 'targetsTold'; readonly words: readonly TargetWord[] }
  /** Nothing is left over in the kernel of the role that has left. */
  | { readonly kind: 'purged' }
  /**
   * keepstate peer only: it asks us to take the role. `from`: its address, where the configuration
   * does not name that.
   */
  | { readonly kind: 'handoverOffered'; readonly from?: string }
  /** A line for the recording: plain data (src/base/machineRecord.ts). */
  | { readonly kind: 'recorded'; readonly line: object }
  /** conntrackd's client asked for the end of the daemon (`-k`). */
  | { readonly kind: 'stopRequested' }
  /** The peer has shown a key for the first time: kept over restarts. */
  | { readonly kind: 'peerSealed' }
  /** The peer that offered has resigned: take the role now, if VRRP says so too. */
  | { readonly kind: 'handoverGranted'; readonly from?: string }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: LogFields;
    };

export interface CommitSummary {
  readonly entries: number;
  /** Those that were not tried are among them. */
  readonly failed: number;
  /**
   * The kernel's table was full: nf_conntrack_max is too small for what this node would have to
   * hold.
   */
  readonly tableFull: boolean;
  /** Flows that were not tried any more, because the table was full. */
  readonly untried: number;
  readonly expectations: number;
  /** Expectations that the kernel refused; not part of `failed`. */
  readonly expectationsFailed: number;
  readonly durationMs: number;
  /** True where a newer epoch ended it early; what was injected stays. */
  readonly cancelled: boolean;
}

export const nothingCommitted: CommitSummary = {
  entries: 0,
  failed: 0,
  tableFull: false,
  untried: 0,
  expectations: 0,
  expectationsFailed: 0,
  durationMs: 0,
  cancelled: false,
};

/** Of a split that is over. */
export interface MergeSummary {
  /** Flows that only the other had. */
  readonly created: number;
  /** Could not be created, most of all because another flow has the translated address and port. */
  readonly failed: number;
  readonly durationMs: number;
}

/** `unknown` towards a conntrackd peer, which cannot say what it holds. */
export type Parity = 'equal' | 'different' | 'unknown';

export interface CacheCounts {
  readonly entries: number;
  readonly expectations: number;
  readonly created: number;
  readonly createFailed: number;
  readonly updated: number;
  readonly updateFailed: number;
  readonly destroyed: number;
  readonly destroyFailed: number;
  readonly limit: number;
  /** DisableInternalCache: nothing is kept; `entries` are flows that wait to be told. */
  readonly isBypassed?: boolean;
}

/** The kernel's table beside the internal cache. */
export interface KernelView {
  /** Flows that the kernel tracks; absent where it does not tell it. */
  readonly flows?: number;
  /** Of these, those that the filter ignored at the last comparison; absent before the first. */
  readonly ignored?: number;
  /**
   * The count moved away from that of the internal cache, and no comparison of content has
   * explained it yet.
   */
  readonly isApart: boolean;
  /** A verb emptied the internal cache, and it is not filled again yet. */
  readonly isEmptied: boolean;
  /** Why the internal cache may not be what the kernel holds. */
  readonly doubt?: string;
}

/** What a keepstate peer said of its own tables. */
export interface PeerHoldings {
  readonly kernel?: number;
  readonly ignored: number;
  readonly internal: number;
  /** Absent with DisableExternalCache: nothing is kept. */
  readonly external?: number;
  /** Its external cache beside this node's internal one. */
  readonly parity: Parity;
  readonly doubt?: string;
}

export interface LinkStatus {
  readonly interfaceName: string;
  readonly kind: 'multicast' | 'udp' | 'tcp';
  readonly isActive: boolean;
  readonly isUsable: boolean;
  /** Why its sockets cannot be opened. */
  readonly refused?: string;
  /** TCP: the connection that this node made stands. */
  readonly isSending?: boolean;
  /** TCP: the peer's connection stands. */
  readonly isReceiving?: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  readonly sendErrors: number;
  readonly receiveErrors: number;
}

/** One place where connections that ended are logged; counters of lines, since its start. */
export interface StatisticsOutput {
  readonly kind: 'file' | 'syslog';
  /** Path, or facility. */
  readonly target: string;
  readonly written: number;
  /** Found no room in memory while the place took none: never written. */
  readonly lost: number;
  /** Lines in memory. */
  readonly waiting: number;
  /** Monotonic time of the last line that was lost. */
  readonly lostAt?: Microseconds;
  /** Since when nothing could be written, and why; absent while it can. */
  readonly failingSince?: Microseconds;
  readonly reason?: string;
}

/** The log of connections that ended. */
export interface StatisticsStatus {
  /** Monotonic time at which these figures were read. */
  readonly at: Microseconds;
  /** False while another node is MASTER, which logs them. */
  readonly isLogging: boolean;
  readonly logged: number;
  readonly outputs: readonly StatisticsOutput[];
  /** Of a node without `Sync`: what it heard of the kernel. */
  readonly capture?: StatisticsCapture;
}

export interface StatisticsCapture {
  readonly entries: number;
  readonly limit: number;
  readonly events: Pick<SyncStatus['events'], 'received' | 'filtered'>;
  readonly overruns: number;
  readonly resyncs: number;
  readonly netlinkBufferBytes: number;
}

/** Everything that `status` and `stats` show of the worker; counters are since its start. */
export interface SyncStatus {
  /** Monotonic time at which these figures were read. */
  readonly at?: Microseconds;
  readonly state: 'starting' | 'synchronising' | 'synchronised' | 'peer-lost' | 'stopped' | 'down';
  readonly mode: SyncMode;
  readonly internal: CacheCounts;
  readonly external: CacheCounts;
  readonly kernel?: KernelView;
  /** Where sync_key is set. */
  readonly seal?: SealStatus;
  readonly lastCommit?: CommitSummary & { readonly at: Microseconds };
  readonly commitInProgress: boolean;
  readonly purgeDue?: Microseconds;
  /** The purge since the role left. */
  readonly purge?: {
    readonly by: 'content' | 'completion';
    readonly removed: number;
    /** Ended at once, because the MASTER told their end. */
    readonly ended: number;
    /** Stay, because the MASTER neither holds nor ended them. */
    readonly kept: number;
    readonly because?: string;
  };
  /**
   * Flows of a returning peer that this MASTER has committed, and those that its kernel refused.
   */
  readonly adopted?: { readonly entries: number; readonly refused: number };
  readonly overruns: number;
  readonly netlinkBufferBytes: number;
  readonly resyncs: number;
  readonly events: {
    readonly received: number;
    readonly filtered: number;
    readonly own: number;
    /** Messages of the kernel, of dumps too, that were not understood and left out. */
    readonly malformed: number;
    /** In events: attributes of a newer kernel, skipped. */
    readonly unknownAttributes: number;
  };
  readonly peer: {
    readonly kind: 'none' | 'conntrackd' | 'keepstate';
    /**
     * Messages sent since the start about flows with a zone in one direction: a conntrackd takes
     * them for flows of no zone. Absent: none was.
     */
    readonly directionZonesSent?: number;
    readonly name?: string;
    readonly version?: string;
    /** A keepstate that says that it hears nothing of this node. */
    readonly hearsNothing?: boolean;
    /** A keepstate that never takes the role. */
    readonly inMaintenance?: boolean;
    /** It tells what it knows of targets. */
    readonly comparesTargets?: boolean;
    /** Absent where it does not say it. */
    readonly holds?: PeerHoldings;
    /**
     * A keepstate's own word on its roles; absent where it is older, or no keepstate: they are
     * unknown.
     */
    readonly roles?: NodeRoles;
    /** Monotonic time of the hello that said them. */
    readonly rolesAt?: Microseconds;
    /** Monotonic time of the last accepted datagram. */
    readonly lastHeard?: Microseconds;
    readonly lost: number;
    readonly before: number;
    /** All malformed messages; `malformedBy` splits them by reason. */
    readonly malformed: number;
    readonly malformedBy: Readonly<Record<string, number>>;
    /** Datagrams from addresses that are not the peer's, and the last such address. */
    readonly strangers: number;
    readonly lastStranger?: string;
    /** Whom the links refused by reason, and the last few by name. */
    readonly refusedBy?: Readonly<Record<string, number>>;
    readonly refused?: readonly RefusedSender[];
    /** Why the peer channel is closed. */
    readonly channelRefused?: string;
    /** In the peer's messages: attributes of a newer version, skipped. */
    readonly unknownAttributes: number;
  };
  readonly parity: Parity;
  /** Why it is unknown. */
  readonly parityBecause?: string;
  /** Monotonic times of the last comparison, and since when each of them found them equal. */
  readonly parityComparedAt?: Microseconds;
  readonly parityEqualSince?: Microseconds;
  readonly links: readonly LinkStatus[];
  readonly queues: {
    readonly transmit: number;
    readonly resend: number;
    readonly resendLimit: number;
    readonly resendDropped: number;
    /** FTFW: at most how long the oldest flow waits for its acknowledgement; 0: none waits. */
    readonly oldestUnacknowledged?: Microseconds;
  };
  /** Event-loop lateness of the worker over the last second, milliseconds. */
  readonly lateness: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  readonly memoryBytes: { readonly tables: number; readonly rss: number };
}
