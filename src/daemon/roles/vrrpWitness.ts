/**
 * Looks at what VRRP shows of other routers, for the coordinator, which believes the peer channel
 * only beside that.
 */
import { formatIp } from '../../base/ipAddress.js';
import type { Clock } from '../../base/time.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { CoordinatorRunner } from '../../coordinator/runner.js';
import { hasResigned, isGranted } from '../../coordinator/evidence.js';

export interface WitnessPorts {
  readonly coordinator: () => CoordinatorRunner | undefined;
  readonly clock: Clock;
  readonly roles: () => RolePicture;
  readonly bound: () => string | undefined;
}

export class VrrpWitness {
  readonly #ports: WitnessPorts;

  constructor(ports: WitnessPorts) {
    this.#ports = ports;
  }

  /** The peer said that it had resigned, and priority 0 is looked for. */
  get isAwaited(): boolean {
    const { coordinator, clock } = this.#ports;
    const state = coordinator()?.state;
    return state !== undefined && isGranted(state, clock.now());
  }

  /** The MASTER of the bound unit said priority 0 within the last second. */
  hasResigned(roles = this.#ports.roles()): boolean {
    const bound = this.#ports.bound();
    return bound !== undefined && hasResigned(roles, bound, this.#ports.clock.now());
  }

  /** To be called several times a second, and every few milliseconds while `isAwaited`. */
  look(roles: RolePicture): void {
    const coordinator = this.#ports.coordinator();
    if (coordinator === undefined) return;
    this.#noteAdvertisers(coordinator, roles);
    if (this.isAwaited && this.hasResigned(roles)) coordinator.input({ kind: 'masterResigned' });
  }

  #noteAdvertisers(coordinator: CoordinatorRunner, roles: RolePicture): void {
    const { role, evidence } = coordinator.state;
    if (role === 'MASTER') return;
    const bound = this.#ports.bound();
    for (const { unit, master } of roles.instances) {
      if (unit !== bound || master === undefined) continue;
      const address = formatIp(master.address);
      if (evidence.advertisers.includes(address)) continue;
      coordinator.input({ kind: 'advertiser', address });
    }
  }
}
