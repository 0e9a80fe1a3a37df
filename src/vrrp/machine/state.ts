/** The whole memory of the pure machine: immutable values, replaced by each step. */
import type { IpAddress } from '../../base/ipAddress.js';
import { microseconds, type Microseconds } from '../../base/time.js';
import type { NotifiedState, StateName } from './actions.js';
import { zeroCounters, type InstanceCounters } from './counters.js';
import type { Conditions, TimerName } from './events.js';
import type { Problems } from './advertProblems.js';
import type { InstanceSettings } from '../settings.js';

/**
 * A unit: one sync group with its members in configured order, or one instance that is in no group.
 */
export interface UnitSettings {
  /** The group's or the instance's name. */
  readonly name: string;
  readonly isGroup: boolean;
  /** At least one. */
  readonly members: readonly InstanceSettings[];
  /** vrrp_startup_delay. */
  readonly startupDelay: Microseconds;
  /** VIPs wait for `vipsReleased`. */
  readonly commitBeforeVip: boolean;
  /** A living master is replaced only after `preemptionGranted`. */
  readonly commitBeforePreempt: boolean;
}

/** A router heard as MASTER. `lastHeard` is monotonic time. */
export interface HeardMaster {
  readonly address: IpAddress;
  readonly priority: number;
  readonly lastHeard: Microseconds;
}

export interface InstanceState {
  readonly name: string;
  readonly state: StateName;
  /** When `state` was entered, and why. */
  readonly since: Microseconds;
  readonly because: string;
  /** Its own master-down timer ran out; in a group it may have to wait for the others. */
  readonly wantsMaster: boolean;
  readonly conditions: Conditions;
  /** Conditions were given at least once; until then the instance stays in INIT. */
  readonly hasConditions: boolean;
  /** 1..255. */
  readonly effectivePriority: number;
  /** The last accepted one while BACKUP; its priority is 0 when it gave up the role. */
  readonly master: HeardMaster | undefined;
  /** A master of lower priority that this router is about to replace. */
  readonly weakerMaster: HeardMaster | undefined;
  /** In FAULT: who was heard as MASTER last; decides nothing here. */
  readonly masterInFault: HeardMaster | undefined;
  /**
   * BACKUP whose MASTER signs by a clock that differs: how long master-down waits for it at most.
   */
  readonly lateUntil: Microseconds | undefined;
  /** v2: our own; v3: that of the master. */
  readonly masterAdvertInterval: Microseconds;
  /** Running timers and when they are due. */
  readonly timers: Readonly<Partial<Record<TimerName, Microseconds>>>;
  readonly preemptDelay: 'idle' | 'running' | 'over';
  /** No takeover before this instant (vrrp_startup_delay). */
  readonly quietUntil: Microseconds;
  readonly lastAdvertSent: Microseconds | undefined;
  /** When a MASTER last heard another one of the same priority and a lower address. */
  readonly lastTieWon: Microseconds | undefined;
  /** When a MASTER first lost against one of the same priority (breakTie in instance.ts). */
  readonly firstTieLost: Microseconds | undefined;
  /** When a MASTER last answered another one out of turn. */
  readonly lastAnswer: Microseconds | undefined;
  readonly nextIdentification: number;
  /** `waiting`: MASTER, but the coordinator has not released them. */
  readonly vips: 'absent' | 'waiting' | 'present';
  readonly nextRefresh: Microseconds | undefined;
  /** What the sockets were drained for: the decision that is made at `drained`. */
  readonly drainingFor: 'masterDown' | 'masterSilent' | 'advert' | undefined;
  readonly notified: NotifiedState | undefined;
  readonly counters: InstanceCounters;
  readonly problems: Problems;
}

export interface UnitState {
  readonly members: Readonly<Record<string, InstanceState>>;
  readonly isStarted: boolean;
  readonly role: StateName;
  readonly since: Microseconds;
  readonly because: string;
  /** Grows with each change of `role`, and with each wish to preempt. */
  readonly epoch: number;
  readonly notified: NotifiedState | undefined;
  readonly preemption: 'free' | 'asked' | 'granted' | 'held';
  /** Why preemption is held. */
  readonly heldBecause: string | undefined;
  readonly inMaintenance: boolean;
  /** Names of the members in the order in which their VIPs come up at `vipsReleased`. */
  readonly releaseOrder: readonly string[];
}

const nothingKnown: Conditions = {
  faults: [],
  awaiting: [],
  contributions: [],
  sourceAddress: undefined,
};

export function initialInstance(settings: InstanceSettings, at: Microseconds): InstanceState {
  return {
    name: settings.name,
    state: 'INIT',
    since: at,
    because: 'start',
    wantsMaster: false,
    conditions: nothingKnown,
    hasConditions: false,
    effectivePriority: settings.priority,
    master: undefined,
    weakerMaster: undefined,
    masterInFault: undefined,
    lateUntil: undefined,
    masterAdvertInterval: settings.advertInterval,
    timers: {},
    preemptDelay: 'idle',
    quietUntil: microseconds(0),
    lastAdvertSent: undefined,
    lastTieWon: undefined,
    firstTieLost: undefined,
    lastAnswer: undefined,
    nextIdentification: 1,
    vips: 'absent',
    nextRefresh: undefined,
    drainingFor: undefined,
    notified: undefined,
    counters: zeroCounters,
    problems: {},
  };
}

/** Before its `start` event: give it the `conditions` of each member first. */
export function initialUnit(settings: UnitSettings, at: Microseconds): UnitState {
  return {
    members: Object.fromEntries(settings.members.map((m) => [m.name, initialInstance(m, at)])),
    isStarted: false,
    role: 'INIT',
    since: at,
    because: 'start',
    epoch: 0,
    notified: undefined,
    preemption: 'free',
    heldBecause: undefined,
    inMaintenance: false,
    releaseOrder: [],
  };
}
