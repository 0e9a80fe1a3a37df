/**
 * All that one node's configuration says, validated and frozen: what the daemon is composed from.
 * The VRRP and sync parts belong to their rooms; the rest stands here.
 */
import type { SinkSettings } from '../alert/alertSettings.js';
import type { Secret } from '../base/secret.js';
import type { Microseconds } from '../base/time.js';
import type { HttpSettings } from '../http/settings.js';
import type { StatisticsSettings, SyncSettings } from '../sync/settings.js';
import type { VrrpSettings } from '../vrrp/settings.js';

/** conntrackd's `General` block, as far as it concerns the process and not the replication. */
export interface GeneralSettings {
  /** `LogFile`: absent is off; `on` is /var/log/conntrackd.log. */
  readonly logFile?: string;
  /** `Syslog`: absent is off; `on` is `daemon`. */
  readonly syslogFacility?: string;
  /** `LockFile`; a file that only serves to keep a conntrackd from starting beside us. */
  readonly lockFile: string;
  /** `UNIX { Path }`: where conntrackd's own client is answered; absent is nowhere. */
  readonly unixPath?: string;
}

/** `nice`: -20..19; `realtime` goes before it. Absent members leave what the thread inherits. */
export interface ThreadScheduling {
  readonly nice?: number;
  /** Priority 1..99. */
  readonly realtime?: { readonly policy: 'rr' | 'fifo'; readonly priority: number };
}

/** Where `control_socket` is not set. */
export const defaultControlPath = '/run/keepstate/control.sock';

/** keepstate's own keywords. */
export interface KeepstateSettings {
  /** `control_socket`: UNIX socket of status, history and the other commands. */
  readonly controlPath: string;
  /** `control_read_group`: name or number of the group that may read. */
  readonly readGroup?: string;
  /** `state_directory`: maintenance and the history survive a restart here. */
  readonly stateDirectory: string;
  /** `pid_file`: written at the start, removed at the end, never read. */
  readonly pidFile?: string;
  /** `node_name`, else `router_id`, else the host name. */
  readonly nodeName: string;
  /** `commit_before_vip`: false restores the order of keepalived and conntrackd. */
  readonly commitBeforeVip: boolean;
  /** `commit_deadline`: VIPs wait this long without progress of the commit. */
  readonly commitDeadline: Microseconds;
  /** `commit_limit`: VIPs wait no longer than this in all. */
  readonly commitLimit: Microseconds;
  /** `preempt_sync_timeout`: preemption waits this long for the external table to catch up. */
  readonly preemptSyncTimeout: Microseconds;
  /** `return_role`: after an upgrade this node may take back the role that it has handed over. */
  readonly returnRole: boolean;
  /** `log_format`: how lines stand on stderr and in LogFile. */
  readonly logFormat: 'text' | 'json';
  /** `process_name`; absent: keepstate. */
  readonly processName?: string;
  /** `history_size`: transitions kept for `history`. */
  readonly historySize: number;
}

/** The programs whose work keepstate does. */
export type IncumbentName = 'keepalived' | 'conntrackd';

/** Which role drives the sync engine (commit, flush, resync, purge). */
export type RoleBinding =
  | { readonly kind: 'none'; readonly because: string }
  | { readonly kind: 'group' | 'instance'; readonly name: string; readonly because: string };

/** One node. */
export interface NodeSettings {
  readonly vrrp: VrrpSettings;
  /** Absent: the file has no `Sync` block. */
  readonly sync?: SyncSettings;
  /** Absent: the file has no `Stats` block. */
  readonly statistics?: StatisticsSettings;
  /** `sync_key`: what `sync.seal` names by its fingerprint. */
  readonly syncKeys?: readonly { readonly id: number; readonly secret: Secret }[];
  readonly general: GeneralSettings;
  readonly keepstate: KeepstateSettings;
  readonly binding: RoleBinding;
  /**
   * keepalived's vrrp_priority and vrrp_rt_priority hold for `vrrp`, `Nice` and `Scheduler` for
   * `sync`.
   */
  readonly scheduling?: { readonly vrrp: ThreadScheduling; readonly sync: ThreadScheduling };
  /** Absent: nothing is served over HTTP. */
  readonly http?: HttpSettings;
  /** `run_user`: absent is whoever starts the daemon. */
  readonly runUser?: string;
  /** Absent: nobody is told of alarms. */
  readonly alerts?: readonly SinkSettings[];
  /** `net_namespace`: a name below /run/netns, entered before anything else. */
  readonly netNamespace?: string;
  /** Files that were read: the named one first, then includes in order. */
  readonly sources: readonly string[];
}
