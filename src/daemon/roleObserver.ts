/** What the router tells, on its way to the history and, for the bound unit, to the coordinator. */
import type { RouterObserver } from '../vrrp/routerPorts.js';
import type { CoordinatorInput } from './coordinatorRunner.js';
import type { RoleRecorder } from './roleRecorder.js';

export interface ObserverWorld {
  readonly recorder: RoleRecorder;
  readonly isGroup: (unit: string) => boolean;
  readonly isBound: (unit: string) => boolean;
  readonly membersOf: (unit: string) => readonly string[];
  readonly tellCoordinator: (event: CoordinatorInput) => void;
  /** An instance leaves MASTER; its VIPs are still there. */
  readonly beforeVipsGo: () => void;
}

export function roleObserver(world: ObserverWorld): RouterObserver {
  const { recorder, isBound, tellCoordinator } = world;
  const present = new Set<string>();
  return {
    transition: (transition) => {
      if (transition.from === 'MASTER') world.beforeVipsGo();
      recorder.transition(transition);
    },
    roleChanged: (change) => {
      recorder.roleChanged(change, world.isGroup(change.unit));
      if (!isBound(change.unit)) return;
      if (change.to !== 'MASTER') present.clear();
      tellCoordinator({ ...change, kind: 'roleChanged', unitEpoch: change.epoch });
    },
    preemptionWanted: ({ unit, epoch }) => {
      if (isBound(unit)) tellCoordinator({ kind: 'preemptionWanted', unitEpoch: epoch });
    },
    preemptionWithdrawn: ({ unit, because }) => {
      if (isBound(unit)) tellCoordinator({ kind: 'preemptionWithdrawn', because });
    },
    otherMasterSeen: ({ unit, from, priority }) => {
      const address = recorder.split(unit, from, priority);
      if (isBound(unit)) tellCoordinator({ kind: 'otherMasterSeen', from: address, priority });
    },
    vipsPresent: (unit, instance) => {
      if (!isBound(unit)) return;
      present.add(instance);
      if (world.membersOf(unit).every((name) => present.has(name))) {
        tellCoordinator({ kind: 'vipsUp' });
      }
    },
  };
}
