/**
 * What an operator can say about state synchronisation, validated and frozen: conntrackd's `Sync`
 * and `General` blocks plus keepstate's own keywords. Defaults: conntrackd 1.4.7. Crosses the
 * thread boundary as plain data (structured clone), so it holds no functions and no class
 * instances.
 */
import type { IpAddress, IpFamily } from '../base/ipAddress.js';
import type { Microseconds } from '../base/time.js';

export type SyncMode = 'FTFW' | 'NOTRACK' | 'ALARM';

/** One `Multicast`, `UDP` or `TCP` block. */
export interface SyncLink {
  readonly kind: 'multicast' | 'udp' | 'tcp';
  readonly family: IpFamily;
  readonly interfaceName: string;
  /** UDP, TCP: local address. Multicast: IPv4_interface. */
  readonly localAddress?: IpAddress;
  /** UDP, TCP: the peer. Multicast: the group. */
  readonly destination: IpAddress;
  readonly port: number;
  readonly isDefault: boolean;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
  readonly checksum: boolean;
  /** TCP: buffers kept while not connected. */
  readonly errorQueueLength: number;
}

export interface AddressPrefix {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export interface FilterSet<T> {
  readonly policy: 'accept' | 'ignore';
  readonly entries: readonly T[];
}

/** An entry must pass every set that is present. */
export interface FilterSettings {
  readonly from: 'userspace' | 'kernelspace';
  /** IP protocol numbers. */
  readonly protocol?: FilterSet<number>;
  readonly address?: FilterSet<AddressPrefix>;
  /** Kernel TCP state numbers. */
  readonly tcpState?: FilterSet<number>;
}

/** `sync_key` and the lines beside it. The keys themselves come by a command of their own. */
export interface SealSettings {
  readonly activeKeyId: number;
  readonly keys: readonly { readonly id: number; readonly fingerprint: string }[];
  /** `permissive`: plain from a peer that has not shown a key yet. */
  readonly auth: 'enforce' | 'permissive';
  readonly encrypts: boolean;
  /** Routers stand between the nodes: the TTL of what arrives says nothing. */
  readonly isMultihop: boolean;
}

export interface SyncSettings {
  readonly mode: SyncMode;
  readonly links: readonly SyncLink[];
  readonly resendQueueSize: number;
  readonly ackWindowSize: number;
  /** Fixed timeout of committed entries; when set, TIMEOUT is not sent either. */
  readonly commitTimeoutSeconds?: number;
  readonly purgeTimeout: Microseconds;
  readonly disableExternalCache: boolean;
  readonly disableInternalCache: boolean;
  readonly startupResync: boolean;
  readonly refreshTimeSeconds: number;
  readonly cacheTimeoutSeconds: number;
  readonly tcpWindowTracking: boolean;
  /** `off`, `all`, or helper name prefixes. */
  readonly expectationSync: 'off' | 'all' | readonly string[];
  /** Entries per cache, internal and external. */
  readonly hashLimit: number;
  readonly netlinkBufferBytes?: number;
  readonly netlinkBufferMaxGrowthBytes: number;
  readonly netlinkEventsReliable: boolean;
  /** Reconcile with the kernel every so often, events stay on. */
  readonly pollSeconds?: number;
  readonly filter: FilterSettings;
  /**
   * VIPs and other addresses that keepstate ignores by itself, beside the node's own at run time.
   */
  readonly ownAddresses: readonly IpAddress[];
  /** UDP port of keepstate's peer channel; undefined turns it off. */
  readonly peerPort?: number;
  readonly nodeName: string;
  /** The senders on multicast links; undefined: up to four of the interface's network. */
  readonly multicastPeers?: readonly IpAddress[];
  /**
   * Accept replication datagrams from any source address (conntrackd's behaviour); never on the
   * peer channel.
   */
  readonly acceptAnySource: boolean;
  /** Absent: nothing is sealed. */
  readonly seal?: SealSettings;
}

/**
 * What is heard of the kernel's table, and how much of it is kept: `General` of a node with
 * `Stats`.
 */
export type KernelSettings = Pick<
  SyncSettings,
  | 'filter'
  | 'hashLimit'
  | 'netlinkBufferBytes'
  | 'netlinkBufferMaxGrowthBytes'
  | 'netlinkEventsReliable'
  | 'pollSeconds'
>;

/** `Stats`: where connections that ended are logged, and as what. */
export interface StatisticsSettings {
  /** `LogFile`: absent is off; `on` is /var/log/conntrackd-stats.log. */
  readonly file?: string;
  /** `Syslog`: absent is off; `on` is `daemon`. */
  readonly syslogFacility?: string;
  /** One JSON object a line, in place of conntrackd's text. */
  readonly json: boolean;
  /** conntrackd's text says `since=takeover` where the counters began there. */
  readonly sinceTakeover: boolean;
  /** Beside `Sync` absent: what replication knows is logged. */
  readonly kernel?: KernelSettings;
}

/** What a worker does: replication, the log of connections that ended, or both. */
export interface WorkerSettings {
  readonly sync?: SyncSettings;
  readonly statistics?: StatisticsSettings;
}
