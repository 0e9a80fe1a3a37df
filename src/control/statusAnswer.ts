/**
 * The answer to `status`: everything a person or a tool asks about a node, as plain JSON. The names
 * in it are fixed for tools (docs/operations.md). Instants are ISO 8601 texts in UTC; durations
 * carry their unit in the name.
 */

import type { AlertsStatus } from './alertsStatus.js';

export type RoleState = 'MASTER' | 'BACKUP' | 'FAULT' | 'INIT';

/**
 * Something an operator should act on. `code` is stable (docs/problems.md); `remedy` is what to do.
 */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly text: string;
  readonly remedy: string;
  /** What it is about, where one code can stand twice: an instance, a link, a table. */
  readonly subject?: string;
  /** When it began, ended (absent: it goes on) and was acknowledged (absent: it was not). */
  readonly begun?: string;
  readonly ended?: string;
  readonly acknowledged?: string;
  /** How often it began within the last hour. */
  readonly times?: number;
  /** It counts after its end too, until it is acknowledged or an hour is over. */
  readonly lasting?: boolean;
}

export interface VipStatus {
  readonly address: string;
  /** As read from the kernel, not as remembered. */
  readonly present: boolean;
  readonly interface: string;
}

export interface PeerAdvertStatus {
  readonly address: string;
  readonly priority: number;
  readonly heardAgoMs: number;
}

export interface InstanceStatus {
  readonly name: string;
  readonly group?: string;
  readonly state: RoleState;
  readonly since: string;
  readonly reason: string;
  readonly interface: string;
  readonly vrid: number;
  readonly version: number;
  readonly family: number;
  readonly priority: number;
  readonly effectivePriority: number;
  readonly vips: readonly VipStatus[];
  /** The last accepted advert of another router; absent when none was heard. */
  readonly peer?: PeerAdvertStatus;
  readonly faults: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  /** Where advertisements are signed (auth_hmac): fingerprints by number. */
  readonly hmac?: {
    readonly mode: string;
    readonly activeKey: number;
    readonly keys: Readonly<Record<number, string>>;
  };
}

export interface GroupStatus {
  readonly name: string;
  readonly state: RoleState;
  readonly since: string;
  readonly reason: string;
  readonly members: readonly string[];
}

export interface LatenessStatus {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface SyncLinkStatus {
  readonly interface: string;
  readonly kind: string;
  readonly active: boolean;
  readonly usable: boolean;
  /** Why its sockets cannot be opened. */
  readonly refused?: string;
  /** TCP: this node's connection to the peer stands. */
  readonly sending?: boolean;
  /** TCP: the peer's connection to this node stands. */
  readonly receiving?: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly datagramsSent: number;
  readonly datagramsReceived: number;
  readonly sendErrors: number;
  readonly receiveErrors: number;
}

/** By its own word. */
export interface PeerUnitStatus {
  readonly name: string;
  readonly vrid: number;
  readonly state: RoleState;
  readonly since: string;
  readonly priority: number;
}

export interface SyncStatusAnswer {
  readonly state: string;
  /** Age of these figures: more than a moment only where the sync engine is too busy to answer. */
  readonly ageMs?: number;
  readonly mode: string;
  readonly internal: {
    readonly entries: number;
    readonly limit: number;
    /** DisableInternalCache: nothing is kept; `entries` are flows that wait to be told. */
    readonly bypassed?: boolean;
  };
  readonly external: { readonly entries: number; readonly limit: number };
  /**
   * The kernel's own table. Absent before the first look, and in the status of an older version.
   */
  readonly kernel?: {
    /** Flows that the kernel tracks; absent where it does not tell it (before Linux 5.10). */
    readonly flows?: number;
    /** Of these, those that the filter ignored at the last comparison of content. */
    readonly ignored?: number;
  };
  /** Where sync_key is set. */
  readonly seal?: {
    readonly activeKey: number;
    /** Fingerprints by number. */
    readonly keys: Readonly<Record<number, string>>;
    readonly auth: string;
    readonly encrypted: boolean;
    /** The peer has shown a key: nothing plain is taken or sent. */
    readonly peerSealed: boolean;
    /** How long ago the peer was heard under each key, by number. */
    readonly heardAgoMs: Readonly<Record<number, number>>;
    /** Datagrams that were refused, by reason. */
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly parity: string;
  /** Why it is unknown. */
  readonly parityBecause?: string;
  /** Since when each comparison found them equal; absent where they are not, or not known to be. */
  readonly parityEqualSince?: string;
  /** How long ago the last comparison was; absent before the first. */
  readonly parityComparedAgoMs?: number;
  readonly commitInProgress: boolean;
  readonly lastCommit?: {
    readonly entries: number;
    readonly failed: number;
    readonly durationMs: number;
    readonly at: string;
    readonly cancelled: boolean;
    /** True where flows are missing because nf_conntrack_max is too small. */
    readonly tableFull: boolean;
  };
  readonly purgeInMs?: number;
  /** The purge since the role left; absent before it was tried. */
  readonly purge?: {
    /**
     * `content`: flow by flow. `completion`: the MASTER cannot list what it holds (a conntrackd, a
     * keepstate 0.1.0).
     */
    readonly by: 'content' | 'completion';
    readonly removed: number;
    /** Ended at once, because the MASTER told their end. */
    readonly ended: number;
    /** Stay in this kernel: the MASTER neither holds nor ended them. */
    readonly kept: number;
    /** Why nothing was decided the last time. */
    readonly because?: string;
  };
  /**
   * Flows of a returning peer that this MASTER has committed, and those that its kernel refused.
   */
  readonly adopted?: { readonly entries: number; readonly refused: number };
  readonly overruns: number;
  readonly resyncs: number;
  readonly netlinkBufferBytes: number;
  readonly peer: {
    readonly kind: string;
    readonly name?: string;
    readonly version?: string;
    /** Present where the peer is a keepstate in maintenance: it would not take the role. */
    readonly maintenance?: boolean;
    /**
     * What a keepstate peer says of its own tables; `parity`: its external cache beside this node's
     * internal one.
     */
    readonly holds?: {
      readonly kernel?: number;
      readonly ignored: number;
      readonly internal: number;
      /** Absent with DisableExternalCache. */
      readonly external?: number;
      readonly parity: string;
      /** Why its internal cache may not be what its kernel holds. */
      readonly doubt?: string;
    };
    /**
     * What a keepstate peer says of its role: its bound unit's, or its only one's. `unknown` where
     * it does not say it (a conntrackd, an older keepstate, a peer that is not heard).
     */
    readonly role: RoleState | 'unknown';
    readonly roleSince?: string;
    /**
     * Its groups and lone instances, as far as its message has room; absent where they are unknown.
     */
    readonly units?: readonly PeerUnitStatus[];
    /** How many more it has. */
    readonly unitsOmitted?: number;
    readonly heardAgoMs?: number;
    readonly lost: number;
    readonly malformed: number;
    readonly strangers: number;
    readonly lastStranger?: string;
    /** Refused datagrams and connections by reason: address, device, ttl, senders, stream. */
    readonly refusedBy?: Readonly<Record<string, number>>;
    /** The last few that were refused. */
    readonly refused?: readonly {
      readonly address: string;
      readonly reason: string;
      /** `sync` or `peer` port. */
      readonly port: string;
      readonly interface: string;
      readonly count: number;
      readonly agoMs: number;
    }[];
    /** Why the peer channel is closed. */
    readonly channelRefused?: string;
    /** In its messages, skipped. */
    readonly unknownAttributes: number;
  };
  readonly links: readonly SyncLinkStatus[];
  readonly queues: {
    readonly transmit: number;
    readonly resend: number;
    readonly resendLimit: number;
    readonly resendDropped: number;
    /** FTFW: at most how long the oldest flow waits for its acknowledgement; 0: none waits. */
    readonly oldestUnacknowledgedMs?: number;
  };
  readonly events: {
    readonly received: number;
    readonly filtered: number;
    readonly own: number;
    /** Messages of the kernel, of dumps too, that were not understood and left out. */
    readonly malformed: number;
    /** In events: attributes of a newer kernel, skipped. */
    readonly unknownAttributes: number;
  };
  readonly worker: {
    readonly restarts: number;
    readonly lateness: LatenessStatus;
    readonly tableBytes: number;
  };
  /** Where the worker serves listings and statistics in conntrackd's protocol. */
  readonly listingPath?: string;
}

/** One place where connections that ended are logged; counters of lines. */
export interface StatisticsOutputStatus {
  readonly kind: 'file' | 'syslog';
  /** Path, or facility. */
  readonly target: string;
  readonly written: number;
  /** Never written: the place took none, and memory had no room for more. */
  readonly lost: number;
  /** In memory. */
  readonly waiting: number;
  /** Since when nothing could be written, and why; absent while it can. */
  readonly failingForMs?: number;
  readonly because?: string;
}

export interface StatisticsAnswer {
  /** `standby`: another node is MASTER, which logs the connections. */
  readonly state: 'starting' | 'logging' | 'standby' | 'down';
  readonly format: 'conntrackd' | 'json';
  /** Connections that ended, since the start. */
  readonly logged: number;
  readonly outputs: readonly StatisticsOutputStatus[];
  /** Of a node without a `Sync` block: the flows that it knows. */
  readonly entries?: number;
  readonly limit?: number;
  readonly overruns?: number;
  readonly resyncs?: number;
  readonly netlinkBufferBytes?: number;
  readonly events?: { readonly received: number; readonly filtered: number };
  /** Where the worker serves listings and statistics in conntrackd's protocol. */
  readonly listingPath?: string;
}

/** `blind`: its socket is flooded, and what was known stays. */
export type TargetStateName = 'unknown' | 'good' | 'bad' | 'unable' | 'blind';

/** Figures are of the last minute. */
export interface TargetAddressStatus {
  /** `icmp 198.51.100.1`, `tcp 198.51.100.1 443` */
  readonly address: string;
  readonly state: TargetStateName;
  readonly since: string;
  /** Milliseconds; absent where nothing was answered. */
  readonly rtt?: { readonly last: number; readonly median: number; readonly worst: number };
  readonly answered: number;
  readonly lost: number;
  readonly lossPercent: number;
  /** Why it cannot be asked, or why the last probe could not be sent. */
  readonly because?: string;
}

/** One `vrrp_track_target`, on both nodes side by side. */
export interface TargetStatus {
  readonly name: string;
  /** `reached`, `lost-here-only`, `lost-by-both`, ...: src/vrrp/reach/comparison.ts */
  readonly standing: string;
  /** The standing as a sentence. */
  readonly text: string;
  /** It is a fault now, or its weight counts as lost. */
  readonly counts: boolean;
  readonly addresses: readonly TargetAddressStatus[];
  /** What a keepstate peer last said of it. */
  readonly peer?: {
    readonly state: TargetStateName;
    readonly addresses: readonly TargetAddressStatus[];
  };
}

export interface TargetsStatus {
  /** What ICMP goes through: `raw-socket` or `batched socket`. */
  readonly icmpSocket: string;
  /** Answers that were not believed, and how often too much came in. */
  readonly junk: number;
  readonly duplicates: number;
  readonly late: number;
  readonly floods: number;
  readonly list: readonly TargetStatus[];
}

/** A `vrrp_script`. */
export interface ScriptStatus {
  readonly name: string;
  /** `unknown`: it has not ended yet; `disabled`: it cannot be run, and does not count. */
  readonly state: 'unknown' | 'good' | 'bad' | 'disabled';
  /** How it ended last, as a sentence. */
  readonly lastEnd: string;
  readonly running: boolean;
}

export interface StatusAnswer {
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly configFile: string;
  /** The bound group or instance; where nothing is bound, the summary of all instances. */
  readonly role: RoleState;
  readonly since: string;
  readonly reason: string;
  /** Name of the group or instance that drives the sync engine. */
  readonly bound?: string;
  /** Where a role change stands: `steady`, `committing`, ... */
  readonly phase: string;
  readonly maintenance: boolean;
  readonly preemptionHeld: boolean;
  readonly groups: readonly GroupStatus[];
  readonly instances: readonly InstanceStatus[];
  /** Absent where the configuration has no `Sync` block. */
  readonly sync?: SyncStatusAnswer;
  /** Absent where the configuration has no `Stats` block. */
  readonly statistics?: StatisticsAnswer;
  /** Absent in the status of an older version. */
  readonly scripts?: readonly ScriptStatus[];
  /** Absent where no target is tracked. */
  readonly targets?: TargetsStatus;
  /** Absent where the configuration names nobody to tell. */
  readonly alerts?: AlertsStatus;
  readonly lateness: LatenessStatus;
  readonly rssBytes: number;
  /**
   * What counts: goes on, or is of a lasting kind and not acknowledged since its end. Empty means
   * exit code 0.
   */
  readonly problems: readonly Problem[];
  /** Of the other kinds: ended within the last hour and not acknowledged. */
  readonly endedProblems: readonly Problem[];
}

/** One line of `history` and of the event stream. */
export interface HistoryEntry {
  readonly at: string;
  /** Group or instance. */
  readonly name: string;
  readonly kind: 'group' | 'instance' | 'sync' | 'daemon';
  readonly from: string;
  readonly to: string;
  readonly because: string;
  readonly flowsCommitted?: number;
  readonly flowsFailed?: number;
  /** True where flows failed because nf_conntrack_max is too small; absent otherwise. */
  readonly tableFull?: boolean;
  /**
   * From the last advertisement of the other router to the decision; absent where it gave the role
   * up, was replaced or was never heard.
   */
  readonly silenceMs?: number;
  /** From the decision to the VIPs being up and announced. */
  readonly takeoverMs?: number;
  readonly commitMs?: number;
  /** After two masters: flows that the one that stays has taken over from the other. */
  readonly flowsMerged?: number;
  /** From learning of the other to having all its flows. */
  readonly mergeMs?: number;
}

/**
 * What a stream of events tells. Each transition comes once as `changed`, when it happens; one of
 * which more is known later (what a takeover committed, what a merge found) comes again as
 * `completed`, with all its fields.
 */
export interface HistoryEvent extends HistoryEntry {
  readonly phase: 'changed' | 'completed';
}

/** Answer to `stats`: what "conntrackd -s" prints. */
export interface StatsAnswer {
  readonly text: string;
}

/** Answer to a verb that does something: what was done, for a person and as numbers. */
export interface DoneAnswer {
  readonly message: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}
