/**
 * Two nodes, one sync group of two members, one wire for each member: the whole state of the checker,
 * immutable. Times are microseconds of one clock that stands still between two events.
 *
 *   node 0  priority 192, skew 0.25 s        node 1  priority 128, skew 0.5 s
 *
 * so that all timers fall on quarters of a second and different orders of events meet in one state.
 */
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import type { IpAddress } from '../../../src/base/ipAddress.js';
import type { CoordinatorInput } from '../../../src/coordinator/runner.js';
import {
  initialCoordinator,
  type CoordinatorSettings,
  type CoordinatorState,
} from '../../../src/coordinator/vocabulary.js';
import type { VrrpDatagram } from '../../../src/net/ports.js';
import { initialUnit, type UnitSettings, type UnitState } from '../../../src/vrrp/machine/state.js';
import { initialRole } from '../../../src/sync/role/roleState.js';
import type { RoleInput } from '../../../src/sync/role/runner.js';
import { instanceSettings, ip, unitSettings, vip } from '../../support/vrrp/settings.js';

import type { WorkerState } from './workerRun.js';

export type NodeIndex = 0 | 1;
export const memberNames = ['A', 'B'] as const;
export type MemberName = (typeof memberNames)[number];

const priorities = [192, 128] as const;
export const other = (index: NodeIndex): NodeIndex => (index === 0 ? 1 : 0);

/** On its way between the threads of one node, or the end of a work of the worker. */
export type Report = { readonly due: number } & (
  | { readonly to: 'coordinator'; readonly event: CoordinatorInput }
  | { readonly to: 'worker'; readonly event: RoleInput }
  /** The peer's whole table comes in. */
  | { readonly to: 'table' }
);

export interface NodeState {
  readonly isAlive: boolean;
  readonly unit: UnitState;
  readonly coordinator: CoordinatorState;
  readonly worker: WorkerState;
  /** `masterDown A`, `coordinator commitLimit`, `role purge`: when they ring. */
  readonly timers: Readonly<Record<string, number>>;
  readonly reports: readonly Report[];
  /** Members whose VIPs the kernel holds; a crash leaves them. */
  readonly vips: readonly MemberName[];
  /** role.json: when a MASTER that crashed sent its last advert. */
  readonly lastAdvert: number | undefined;
}

/** A datagram on its way. */
export interface Message {
  readonly due: number;
  readonly to: NodeIndex;
  readonly member: MemberName;
  readonly datagram: VrrpDatagram;
}

export interface ClusterState {
  readonly now: number;
  readonly nodes: readonly [NodeState, NodeState];
  readonly messages: readonly Message[];
}

export const coordinatorSettings: CoordinatorSettings = {
  commitDeadline: milliseconds(1_000),
  commitLimit: seconds(10),
  preemptSyncTimeout: seconds(30),
  preempts: true,
};

export const unitSettingsOf: readonly [UnitSettings, UnitSettings] = [
  settingsOf(priorities[0]),
  settingsOf(priorities[1]),
];

function settingsOf(priority: number): UnitSettings {
  const members = memberNames.map((name, i) =>
    instanceSettings({
      name,
      virtualRouterId: 51 + i,
      priority,
      virtualAddresses: [vip(`10.0.${i}.100`)],
    }),
  );
  return unitSettings(members, { commitBeforeVip: true, commitBeforePreempt: true });
}

/** 10.0.0.1 and 10.0.0.2 on the wire of A, 10.0.1.x on that of B. */
export function addressOf(index: NodeIndex, member: MemberName): IpAddress {
  return ip(`10.0.${memberNames.indexOf(member)}.${index + 1}`);
}

export const freshWorker: WorkerState = {
  role: initialRole,
  awaitsTable: false,
  hasTable: false,
  heardStory: undefined,
};

export function deadNode(index: NodeIndex, now: number): NodeState {
  return {
    isAlive: false,
    unit: initialUnit(unitSettingsOf[index], microseconds(now)),
    coordinator: initialCoordinator,
    worker: freshWorker,
    timers: {},
    reports: [],
    vips: [],
    lastAdvert: undefined,
  };
}
