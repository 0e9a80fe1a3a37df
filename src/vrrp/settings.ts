/**
 * What an operator can say about VRRP, validated and frozen. src/config produces these from text;
 * the machine, the sync groups and the executor read them. Keywords and defaults: keepalived 2.2.7.
 */
import type { IpAddress, IpFamily } from '../base/ipAddress.js';
import type { Secret } from '../base/secret.js';
import type { Microseconds } from '../base/time.js';
import type { AddressSpec, RouteSpec, RuleSpec } from '../net/ports.js';

export type VrrpVersion = 2 | 3;

/** `none`, or PASS with the 8 bytes that travel on the wire (password padded with NUL). */
export type Authentication =
  { readonly kind: 'none' } | { readonly kind: 'pass'; readonly bytes: Uint8Array };

/** `auth_hmac`: advertisements carry an HMAC over a key that the routers of the VRID share. */
export interface HmacSettings {
  /** At least one; ids are 1..255, each once. */
  readonly keys: readonly HmacKey[];
  /** One of `keys`: it signs. */
  readonly activeKeyId: number;
  /** `time`: what is older or newer than `timeWindow` is refused too. */
  readonly antiReplay: 'time' | 'monotonic';
  readonly timeWindow: Microseconds;
  /**
   * `enforce` and `permissive` sign; `permissive` and `receive-only` take advertisements without a
   * signature too. A signature that is there has to be right in each mode.
   */
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
}

export interface HmacKey {
  readonly id: number;
  readonly secret: Secret;
}

/** `virtual_ipaddress` entry: what is set on the interface, and what is announced. */
export interface VirtualAddress {
  readonly spec: AddressSpec;
  /** `no_track`: deletion by others is ignored. */
  readonly isTracked: boolean;
}

export interface VirtualRoute {
  readonly spec: RouteSpec;
  readonly isTracked: boolean;
  /** The words as written, for status and messages. */
  readonly text: string;
}

export interface VirtualRule {
  readonly spec: RuleSpec;
  readonly isTracked: boolean;
  readonly text: string;
}

/** garp_*: counts are packets per address in a block. */
export interface GarpSettings {
  /** Delay of the second block after becoming MASTER; 0 is no second block. */
  readonly masterDelay: Microseconds;
  readonly masterRepeat: number;
  /** Period while MASTER; 0 is off. */
  readonly masterRefresh: Microseconds;
  readonly masterRefreshRepeat: number;
  readonly lowerPrioDelay: Microseconds;
  readonly lowerPrioRepeat: number;
  /** Pacing between packets on one interface; 0 is none. */
  readonly garpInterval: Microseconds;
  readonly gnaInterval: Microseconds;
}

/** A script, already split into words. No shell is involved. */
export interface ScriptCommand {
  readonly words: readonly string[];
  /** Absent: `script_user`, else user keepalived_script if it exists, else root. */
  readonly user?: string;
  readonly group?: string;
  /** Variables beside those of the daemon; no configuration sets them. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Scripts of an instance or group. Lines bound to the sync engine are not in here (design:
 * binding).
 */
export interface NotifySettings {
  readonly master?: ScriptCommand;
  readonly backup?: ScriptCommand;
  readonly fault?: ScriptCommand;
  readonly stop?: ScriptCommand;
  readonly deleted?: ScriptCommand;
  /** `notify_deleted` without a script. */
  readonly reportsDeleted?: boolean;
  readonly masterReceivedLowerPriority?: ScriptCommand;
  readonly generic?: ScriptCommand;
  readonly priorityChanges: boolean;
}

/** weight 0: failing means FAULT. `isReversed` swaps good and bad for the sign. */
export interface TrackReference {
  readonly name: string;
  readonly weight: number;
  readonly isReversed: boolean;
}

export interface Tracking {
  readonly interfaces: readonly TrackReference[];
  readonly scripts: readonly TrackReference[];
  readonly files: readonly TrackReference[];
  readonly processes: readonly TrackReference[];
  /** `track_target`; absent where none is tracked. */
  readonly targets?: readonly TrackReference[];
}

export interface UnicastPeer {
  readonly address: IpAddress;
  readonly minTtl?: number;
  readonly maxTtl?: number;
}

export interface InstanceSettings {
  readonly name: string;
  readonly interfaceName: string;
  readonly family: IpFamily;
  readonly version: VrrpVersion;
  readonly virtualRouterId: number;
  /** Configured: 1..255. 255 is the address owner. */
  readonly priority: number;
  /** `state MASTER` wish; see spec 3.3 for the little that it changes. */
  readonly initialState: 'MASTER' | 'BACKUP';
  readonly advertInterval: Microseconds;
  readonly authentication: Authentication;
  /** `auth_hmac`; never beside PASS. */
  readonly hmac?: HmacSettings;
  readonly preempt: boolean;
  /** True where the file says `nopreempt` and `state MASTER` (or priority 255) disarmed it. */
  readonly nopreemptDisarmed: boolean;
  readonly preemptDelay: Microseconds;
  readonly downTimerAdverts: number;
  /** unicast_src_ip or mcast_src_ip. */
  readonly sourceAddress?: IpAddress;
  readonly trackSourceAddress: boolean;
  /** Empty: multicast. */
  readonly unicastPeers: readonly UnicastPeer[];
  readonly checkUnicastSource: boolean;
  readonly unicastTtl: number;
  readonly multicastGroup: IpAddress;
  readonly virtualAddresses: readonly VirtualAddress[];
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly virtualRoutes: readonly VirtualRoute[];
  readonly virtualRules: readonly VirtualRule[];
  readonly promoteSecondaries: boolean;
  readonly garp: GarpSettings;
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly skipCheckAdvertAddresses: boolean;
  readonly strict: boolean;
  readonly accept: boolean;
  /** `dont_track_primary`: false where the own interface's state is ignored. */
  readonly trackPrimary: boolean;
  readonly tracking: Tracking;
  readonly notify: NotifySettings;
  readonly receiveBufferBytes?: number;
}

export interface SyncGroupSettings {
  readonly name: string;
  /** Instance names in the order of `group { }`. */
  readonly members: readonly string[];
  readonly tracking: Tracking;
  readonly trackingWeight: boolean;
  readonly notify: NotifySettings;
}

export interface TrackScriptSettings {
  readonly name: string;
  readonly command: ScriptCommand;
  readonly interval: Microseconds;
  readonly timeout: Microseconds;
  readonly weight: number;
  readonly isReversed: boolean;
  readonly rise: number;
  readonly fall: number;
  /** Assumed bad until the first result. */
  readonly initFail: boolean;
}

export interface TrackFileSettings {
  readonly name: string;
  readonly path: string;
  readonly weight: number;
  readonly isReversed: boolean;
  /** `init_file [value] [overwrite]`. */
  readonly init?: { readonly value: number; readonly overwrite: boolean };
}

export interface TrackProcessSettings {
  readonly name: string;
  /** Command, with arguments where `parameterMatch` is set. */
  readonly words: readonly string[];
  readonly parameterMatch?: 'initial' | 'partial' | 'exact';
  readonly fullCommand: boolean;
  readonly weight: number;
  readonly isReversed: boolean;
  readonly quorum: number;
  readonly quorumMax?: number;
  readonly forkDelay: Microseconds;
  readonly terminateDelay: Microseconds;
}

/** One address of a `vrrp_track_target`. `arp` has an interface in its target. */
export type TargetAddress =
  | { readonly kind: 'icmp' | 'arp'; readonly address: IpAddress }
  | { readonly kind: 'tcp'; readonly address: IpAddress; readonly port: number };

/** `vrrp_track_target`: something behind this node that must answer. */
export interface TrackTargetSettings {
  readonly name: string;
  /** In the order written; at least one. */
  readonly addresses: readonly TargetAddress[];
  /** The target is reached while so many of `addresses` answer. */
  readonly required: number;
  /** Probes leave from here; absent: as the routes say. */
  readonly source?: IpAddress;
  readonly interfaceName?: string;
  readonly interval: Microseconds;
  readonly timeout: Microseconds;
  /** As in a vrrp_script, counted in probes of one address. */
  readonly rise: number;
  readonly fall: number;
  /** Bytes of ICMP payload. */
  readonly size: number;
  /** Absent: the kernel's default. */
  readonly ttl?: number;
  readonly weight: number;
  readonly isReversed: boolean;
}

export interface FifoSettings {
  readonly path: string;
  /** To whom the pipe is given when it is made; absent: it stays root's. */
  readonly owner?: { readonly user: string; readonly group?: string };
  /** Started as its reader. */
  readonly script?: ScriptCommand;
}

/** All of VRRP on one node. */
export interface VrrpSettings {
  readonly routerId: string;
  readonly instances: readonly InstanceSettings[];
  readonly groups: readonly SyncGroupSettings[];
  readonly scripts: readonly TrackScriptSettings[];
  readonly files: readonly TrackFileSettings[];
  readonly processes: readonly TrackProcessSettings[];
  /** Absent where the file has no `vrrp_track_target`. */
  readonly targets?: readonly TrackTargetSettings[];
  /** `reach_hold`: a loss that counted goes on counting so long; absent: 30 s. */
  readonly reachHold?: Microseconds;
  readonly staticAddresses: readonly VirtualAddress[];
  readonly staticRoutes: readonly VirtualRoute[];
  readonly staticRules: readonly VirtualRule[];
  readonly scriptUser?: { readonly user: string; readonly group?: string };
  readonly enableScriptSecurity: boolean;
  readonly startupDelay: Microseconds;
  readonly notifyFifo?: FifoSettings;
  readonly vrrpNotifyFifo?: FifoSettings;
  readonly fifoWriteStatesOnReload: boolean;
  readonly startupScript?: { readonly command: ScriptCommand; readonly timeout: Microseconds };
  readonly shutdownScript?: { readonly command: ScriptCommand; readonly timeout: Microseconds };
  readonly logUnknownVrids: boolean;
  /** Unknown interfaces wait in FAULT for their appearance instead of ending the daemon. */
  readonly dynamicInterfaces: boolean;
  readonly interfaceDelays: readonly {
    readonly interfaceName: string;
    readonly down: Microseconds;
    readonly up: Microseconds;
  }[];
}
