/** What a router needs from the world, and what it tells the world. Interfaces only. */
import type { IpAddress } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import type { Clock, Microseconds, Timers } from '../base/time.js';
import type {
  NeighbourAnnouncer,
  NetworkControl,
  NetworkWatch,
  RoutingWatch,
  VrrpSocketFactory,
} from '../net/ports.js';
import type { SignedNumbers } from './auth/advertAuthentication.js';
import type { StateName } from './machine/actions.js';
import type { Firewall } from './addresses/firewall.js';
import type { ProcessSpawner } from './scripts/process.js';
import type { Sysctls } from './addresses/secondaryPromotion.js';
import type { WatchedFiles } from './tracking/fileTracker.js';
import type { ProcessTable } from './tracking/processTracker.js';
import type { RecordedLine } from './machine/recording.js';
import type { Bindings } from './machine/units.js';

export interface RouterPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly sockets: VrrpSocketFactory;
  readonly network: NetworkWatch;
  readonly control: NetworkControl;
  /** Throws KernelError. */
  readonly openRoutingWatch: () => RoutingWatch;
  readonly announcer: NeighbourAnnouncer;
  readonly spawner: ProcessSpawner;
  readonly files: WatchedFiles;
  readonly processTable: ProcessTable;
  readonly sysctls: Sysctls;
  readonly firewall: Firewall;
}

/** One change of state of one instance. */
export interface Transition {
  readonly unit: string;
  readonly instance: string;
  readonly from: StateName;
  readonly to: StateName;
  readonly because: string;
  /** Monotonic. */
  readonly at: Microseconds;
  /** Microseconds since 1970. */
  readonly wallClock: Microseconds;
}

/** A group, or a lone instance, has another role. */
export interface RoleChange {
  readonly unit: string;
  readonly from: StateName;
  readonly to: StateName;
  readonly because: string;
  readonly epoch: number;
  /** VIPs stay away until `releaseVips(unit, epoch)`. */
  readonly vipsWait: boolean;
  readonly isResumed: boolean;
  /** A MASTER gave way to this stronger one. */
  readonly yieldedTo?: IpAddress;
  /** To MASTER, after the other was heard no more: since its last advertisement. */
  readonly silence?: Microseconds;
}

/** Answer with `grantPreemption`. */
export interface PreemptionWish {
  readonly unit: string;
  readonly epoch: number;
  /** The living master of lower priority. */
  readonly from: IpAddress;
}

export interface OtherMaster {
  readonly unit: string;
  readonly instance: string;
  readonly from: IpAddress;
  readonly priority: number;
}

/**
 * The role coordinator's ear. `transition` is called at once; the others in the unit's own order,
 * after the kernel work that stood before them: at a change away from MASTER the VIPs are gone
 * already.
 */
export interface RouterObserver {
  transition(transition: Transition): void;
  roleChanged(change: RoleChange): void;
  preemptionWanted(wish: PreemptionWish): void;
  preemptionWithdrawn(wish: Omit<PreemptionWish, 'from'> & { readonly because: string }): void;
  /** Master-down is near; it may still be heard again. Told at each silence. */
  masterSilent(unit: string): void;
  otherMasterSeen(seen: OtherMaster): void;
  /** The VIPs of this instance are set; their gratuitous ARP follows at once. */
  vipsPresent(unit: string, instance: string): void;
}

export interface RouterOptions {
  readonly observer: RouterObserver;
  /** Units that wait for the coordinator. */
  readonly bindings: Bindings;
  /** Units that were MASTER a crash ago: they resume, and their VIPs are left in place. */
  readonly resume: ReadonlySet<string>;
  /**
   * Units that were MASTER so lately that a peer may still wait: those that do not resume say
   * priority 0.
   */
  readonly awaited?: ReadonlySet<string>;
  /** Scripts and FIFOs are told of roles when this resolves; the roles do not wait for it. */
  readonly notifyAfter?: Promise<void>;
  /** Of an earlier life of this node. */
  readonly signedNumbers?: SignedNumbers;
  /** Maintenance that persists over a restart. */
  readonly inMaintenance?: boolean;
  /** Whether NAT rules of this machine name an address; such ones are announced first. */
  readonly isTranslated?: (address: string) => boolean;
  /**
   * Each event of each unit and its settings, for a recording that can be replayed (recording.ts).
   */
  readonly record?: (line: RecordedLine) => void;
}
