/**
 * What can happen to a unit (a sync group with its members, or one instance that is in no group).
 * Each event carries the monotonic time at which it was handled; plain data, so that it can be
 * recorded as one JSON line and replayed (recording.ts).
 */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { AdvertProof } from '../auth/proof.js';

/** Each instance has at most one running timer of a name; starting it again replaces it. */
export type TimerName =
  /** BACKUP: no acceptable advertisement arrived in time. */
  | 'masterDown'
  /** BACKUP of a unit that commits before its VIPs: master-down is near, time to prepare for it. */
  | 'masterSilent'
  /** MASTER: the next advertisement is due. */
  | 'advert'
  /** BACKUP: end of `preempt_delay`. */
  | 'preemptDelay'
  /** MASTER: second block of gratuitous ARP, `garp_master_delay`. */
  | 'garpDelay'
  /** MASTER: second block after a lower-priority advertisement, `garp_lower_prio_delay`. */
  | 'garpLowerPriority';

/** Part of the effective priority that one weighted tracker adds or takes (spec: priority.ts). */
export interface Contribution {
  readonly tracker: string;
  readonly value: number;
}

/**
 * All that the world says about one instance, each time as a whole. `faults` are sentences for
 * people ("interface eth1 down"), unique within the instance; the order is kept. `awaiting` names
 * the trackers that have not reported yet; they hold an instance in INIT, and only there.
 * `sourceAddress` is the address adverts are sent from; absent is a fault by itself.
 */
export interface Conditions {
  readonly faults: readonly string[];
  readonly awaiting: readonly string[];
  readonly contributions: readonly Contribution[];
  readonly sourceAddress: IpAddress | undefined;
  /**
   * Where `sourceAddress` has just gone: what it was. A goodbye can still be sent from it, nothing
   * else.
   */
  readonly lostSource?: IpAddress;
}

interface Timed {
  readonly at: Microseconds;
}

export type UnitEvent = Timed &
  (
    | {
        /**
         * Conditions of the members were given before. `resumeMaster`: a crash ago this node was
         * MASTER and no peer can have timed out yet; VIPs are in place.
         */
        readonly kind: 'start';
        readonly resumeMaster: boolean;
      }
    | {
        /**
         * Follows `start` where peers may still wait for a MASTER that this node was, a crash ago:
         * its VIPs are gone now.
         */
        readonly kind: 'goodbye';
      }
    | {
        /**
         * Read from a socket of this instance, addressed to its VRID (chooseInstance in
         * socketPool.ts).
         */
        readonly kind: 'datagram';
        readonly instance: string;
        readonly datagram: VrrpDatagram;
        /** Of an instance with `auth_hmac`, where the datagram has the length of an advert. */
        readonly proof?: AdvertProof;
      }
    | {
        /** A timer rang. `due` is when it should have; `at` - `due` is the lateness. */
        readonly kind: 'timer';
        readonly instance: string;
        readonly timer: TimerName;
        readonly due: Microseconds;
      }
    | {
        /**
         * The answer to `drainSockets`: what waited in the kernel was delivered as events before
         * this one.
         */
        readonly kind: 'drained';
        readonly instance: string;
      }
    | { readonly kind: 'conditions'; readonly instance: string; readonly conditions: Conditions }
    | {
        /**
         * The coordinator lets the VIPs of role change `epoch` come up. Ignored when that role is
         * over.
         */
        readonly kind: 'vipsReleased';
        readonly epoch: number;
      }
    | {
        /** Answer to `preemptionWanted`. Ignored when that wish is over. */
        readonly kind: 'preemptionGranted';
        readonly epoch: number;
      }
    | {
        /** Answer to `preemptionWanted`: preemption is then held, as after `resign`. */
        readonly kind: 'preemptionRefused';
        readonly epoch: number;
        readonly because: string;
      }
    | {
        /**
         * Planned hand-over: MASTER gives up with priority 0; preemption is held until released or
         * the peer is lost.
         */
        readonly kind: 'resign';
        readonly because: string;
      }
    | {
        /**
         * The other half of a planned hand-over: the MASTER has just resigned in our favour. A unit
         * in BACKUP becomes MASTER at once, as though every member's masterDown had run out; in any
         * other state nothing. Our flows are committed already, so where `vipsCommitted` the VIPs
         * do not wait.
         */
        readonly kind: 'assumeRole';
        readonly because: string;
        readonly vipsCommitted: boolean;
      }
    | { readonly kind: 'holdPreemption'; readonly because: string }
    | { readonly kind: 'releasePreemption' }
    | {
        /** While on, the unit listens but never takes over. */
        readonly kind: 'maintenance';
        readonly on: boolean;
      }
    | {
        /**
         * A reload takes this member out of the unit: it says priority 0 and gives up its VIPs. The
         * event `reload` follows.
         */
        readonly kind: 'removeMember';
        readonly instance: string;
      }
    | {
        /**
         * The settings given to this step are new; roles and timers are kept. Members that are new
         * here take part in the unit's role as soon as their conditions were given.
         */
        readonly kind: 'reload';
      }
    | {
        /**
         * The last event of a unit: clean stop of the daemon, or the unit was removed by a reload.
         */
        readonly kind: 'stop';
        readonly because: 'STOP' | 'DELETED';
      }
  );
