/**
 * What a step asks the executor to do, in this order. Plain data; durations are microseconds. The
 * executor carries them out one after the other and never reorders them; none of them waits for a
 * script.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Microseconds } from '../../base/time.js';
import type { TimerName } from './events.js';
import type { Problem } from './advertProblems.js';

export type StateName = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';
/** What notify scripts and FIFOs can be told. */
export type NotifiedState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';

/** Why a block of gratuitous ARP (or unsolicited NA) goes out. */
export type AnnounceReason =
  'becameMaster' | 'masterDelay' | 'refresh' | 'lowerPriority' | 'lowerPriorityDelay';

export type UnitAction =
  | {
      /** One advertisement (to each unicast peer one copy, all with the same identification). */
      readonly kind: 'sendAdvert';
      readonly instance: string;
      /** 0 says: I am leaving. */
      readonly priority: number;
      /** IPv4 identification field, 1..65535. */
      readonly identification: number;
    }
  | {
      /**
       * Due at the event's `at` + `duration`, not at the moment this is carried out. Replaces a
       * running timer of that name.
       */
      readonly kind: 'startTimer';
      readonly instance: string;
      readonly timer: TimerName;
      readonly duration: Microseconds;
    }
  | { readonly kind: 'stopTimer'; readonly instance: string; readonly timer: TimerName }
  | {
      /**
       * Deliver each datagram that waits in this instance's socket as an event, then the event
       * `drained`.
       */
      readonly kind: 'drainSockets';
      readonly instance: string;
    }
  | {
      /** One line in the log and one in the history. */
      readonly kind: 'transition';
      readonly instance: string;
      readonly from: StateName;
      readonly to: StateName;
      readonly because: string;
    }
  | {
      /** VIPs, excluded VIPs, then routes and rules. */
      readonly kind: 'addVips';
      readonly instance: string;
    }
  | {
      /** Rules and routes, then VIPs and excluded VIPs, if this run set them. */
      readonly kind: 'removeVips';
      readonly instance: string;
    }
  | {
      /**
       * After a reload of a MASTER: add and announce (one block) what is new, remove what is gone.
       */
      readonly kind: 'applyVips';
      readonly instance: string;
      readonly announceCount: number;
    }
  | {
      /**
       * `count` rounds over all VIPs, then excluded VIPs; paced by garpInterval and gnaInterval.
       */
      readonly kind: 'announce';
      readonly instance: string;
      readonly count: number;
      readonly because: AnnounceReason;
    }
  | {
      /** Drop announcements of this instance that pacing still holds back. */
      readonly kind: 'cancelAnnouncements';
      readonly instance: string;
    }
  | {
      /** Unicast, after FAULT: one gratuitous ARP for the source address. */
      readonly kind: 'announceSource';
      readonly instance: string;
    }
  | {
      readonly kind: 'notify';
      readonly instance: string;
      readonly state: NotifiedState;
      readonly priority: number;
    }
  | { readonly kind: 'notifyGroup'; readonly unit: string; readonly state: NotifiedState }
  /** notify_master_rx_lower_pri. */
  | { readonly kind: 'notifyLowerPriority'; readonly instance: string }
  | {
      readonly kind: 'priorityChanged';
      readonly instance: string;
      readonly from: number;
      readonly to: number;
      readonly state: StateName;
    }
  | {
      /**
       * The unit as a whole has another role: for the coordinator. To MASTER with `vipsWait`, the
       * VIPs stay away until `vipsReleased` with this epoch. In the other directions the VIPs were
       * removed before this.
       */
      readonly kind: 'roleChanged';
      readonly unit: string;
      readonly from: StateName;
      readonly to: StateName;
      readonly because: string;
      readonly epoch: number;
      readonly vipsWait: boolean;
      readonly isResumed: boolean;
      /** A MASTER gave way to this stronger one. */
      readonly yieldedTo?: IpAddress;
    }
  | {
      /**
       * A living master of lower priority could be replaced; answer with preemptionGranted or
       * preemptionRefused.
       */
      readonly kind: 'preemptionWanted';
      readonly unit: string;
      readonly epoch: number;
      readonly from: IpAddress;
    }
  | {
      /** The wish is over unanswered: the old master died, rose, or the unit left BACKUP. */
      readonly kind: 'preemptionWithdrawn';
      readonly unit: string;
      readonly epoch: number;
      readonly because: string;
    }
  | {
      /**
       * The master of each member is silent, or leaves: masterDown follows within `preparationLead`
       * unless it is heard again. Nobody answers; what the takeover waits for can be done in
       * advance.
       */
      readonly kind: 'masterSilent';
      readonly unit: string;
    }
  | {
      /**
       * While MASTER, another router was heard as MASTER of the same virtual router (stall,
       * partition).
       */
      readonly kind: 'otherMasterSeen';
      readonly unit: string;
      readonly instance: string;
      readonly from: IpAddress;
      readonly priority: number;
    }
  | {
      /**
       * For the log, at most once a minute per instance and reason; counters and status have each
       * one.
       */
      readonly kind: 'complain';
      readonly instance: string;
      readonly problem: Problem;
    };
