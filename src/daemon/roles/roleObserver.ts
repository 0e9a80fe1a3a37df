/** What the router tells, on its way to the history and, for the bound unit, to the coordinator. */
import { formatIp } from '../../base/ipAddress.js';
import type { RouterObserver } from '../../vrrp/routerPorts.js';
import type { CoordinatorInput, CoordinatorRunner } from '../../coordinator/runner.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { RoleRecorder } from './roleRecorder.js';

export interface ObserverPorts {
  readonly recorder: RoleRecorder;
  readonly isGroup: (unit: string) => boolean;
  readonly isBound: (unit: string) => boolean;
  readonly membersOf: (unit: string) => readonly string[];
  readonly sendToCoordinator: (event: CoordinatorInput) => void;
  /** An instance leaves MASTER; its VIPs are still there. */
  readonly beforeVipsGo: () => void;
  /** A unit has another role. */
  readonly afterRoleChange: () => void;
}

export function roleObserver(ports: ObserverPorts): RouterObserver {
  const { recorder, isBound, sendToCoordinator } = ports;
  const present = new Set<string>();
  const reportWhenComplete = (unit: string): void => {
    if (ports.membersOf(unit).every((name) => present.has(name))) {
      sendToCoordinator({ kind: 'vipsUp' });
    }
  };
  return {
    transition: (transition) => {
      if (transition.from === 'MASTER') ports.beforeVipsGo();
      recorder.transition(transition);
    },
    roleChanged: (change) => {
      recorder.roleChanged(change, ports.isGroup(change.unit));
      ports.afterRoleChange();
      if (!isBound(change.unit)) return;
      if (change.to !== 'MASTER') present.clear();
      sendToCoordinator({ ...change, kind: 'roleChanged', unitEpoch: change.epoch });
      // VIPs that waited for nothing are up before their unit tells of its role.
      if (change.to === 'MASTER') reportWhenComplete(change.unit);
    },
    preemptionWanted: ({ unit, epoch }) => {
      if (isBound(unit)) sendToCoordinator({ kind: 'preemptionWanted', unitEpoch: epoch });
    },
    preemptionWithdrawn: ({ unit, because }) => {
      if (isBound(unit)) sendToCoordinator({ kind: 'preemptionWithdrawn', because });
    },
    masterSilent: (unit) => {
      if (isBound(unit)) sendToCoordinator({ kind: 'masterSilent' });
    },
    otherMasterSeen: ({ unit, from, priority }) => {
      const address = formatIp(from);
      const text = `${address} was MASTER too, with priority ${priority}`;
      if (isBound(unit)) sendToCoordinator({ kind: 'otherMasterSeen', because: text, address });
      else recorder.split(unit, text);
    },
    vipsPresent: (unit, instance) => {
      if (!isBound(unit)) return;
      present.add(instance);
      reportWhenComplete(unit);
    },
  };
}

/** The coordinator of the bound unit learns that another router is MASTER. */
export function lookForOtherMaster(
  coordinator: CoordinatorRunner,
  roles: RolePicture,
  bound: string | undefined,
): void {
  if (bound === undefined) return;
  if (coordinator.state.role === 'MASTER' || coordinator.state.otherMasterHeard) return;
  if (hearsOtherMaster(roles, bound)) coordinator.input({ kind: 'otherMasterHeard' });
}

/** Whether a unit that is not MASTER has accepted an advertisement since it entered its state. */
function hearsOtherMaster(roles: RolePicture, unitName: string): boolean {
  const unit = roles.units.find((one) => one.name === unitName);
  if (unit === undefined || unit.state === 'MASTER') return false;
  return roles.instances.some(
    ({ unit: name, masterHeard }) =>
      name === unitName && masterHeard !== undefined && masterHeard > unit.since,
  );
}
