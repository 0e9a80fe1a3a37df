/**
 * What the router tells, on its way to the history and, for the bound unit, to the coordinator: the
 * coordinator hears it at once, and what is kept and shown of it waits for the next turn of the
 * event loop, so that the VIPs wait for no disk.
 */
import { formatIp } from '../../base/ipAddress.js';
import { microseconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { RouterObserver } from '../../vrrp/routerPorts.js';
import type { CoordinatorInput, CoordinatorRunner } from '../../coordinator/runner.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { RoleRecorder } from './roleRecorder.js';

/** Work for the next turn of the event loop: history, role memory, the word to the peer. */
export class Afterwards {
  readonly #timers: Timers;
  #work: (() => void)[] = [];
  #turn: ArmedTimer | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** In the order of the calls. */
  add(work: () => void): void {
    this.#work.push(work);
    this.#turn ??= this.#timers.after(microseconds(0), () => this.flush());
  }

  /** Does at once what waits, and what that adds. */
  flush(): void {
    this.#turn?.cancel();
    for (let next = this.#work.shift(); next !== undefined; next = this.#work.shift()) next();
    this.#turn = undefined;
  }
}

export interface ObserverPorts {
  readonly recorder: RoleRecorder;
  readonly afterwards: Pick<Afterwards, 'add'>;
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
  const { recorder, afterwards, isBound, sendToCoordinator } = ports;
  const present = new Set<string>();
  const reportWhenComplete = (unit: string): void => {
    if (present.size === 0) return;
    if (!ports.membersOf(unit).every((name) => present.has(name))) return;
    sendToCoordinator({ kind: 'vipsUp' });
  };
  return {
    transition: (transition) => {
      if (transition.from === 'MASTER') ports.beforeVipsGo();
      afterwards.add(() => recorder.transition(transition));
    },
    roleChanged: (change) => {
      afterwards.add(() => {
        recorder.roleChanged(change, ports.isGroup(change.unit));
        ports.afterRoleChange();
      });
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
      else afterwards.add(() => recorder.split(unit, text));
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
