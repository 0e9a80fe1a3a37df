/**
 * What a node remembers of its roles over a crash and over a boot, and who was MASTER so lately that it may resume.
 */
import { join } from 'node:path';
import type { Logger } from '../base/logger.js';
import { microseconds, type Microseconds } from '../base/time.js';
import type { RolePicture } from '../vrrp/snapshot.js';
import type { InstanceSettings, VrrpSettings } from '../vrrp/settings.js';
import { longestPatience, peersPatience } from '../vrrp/timing.js';
import { besideControl } from './besideControl.js';
import { readBootId, mastersWithin, StateFile } from './stateFile.js';

export class RoleMemory {
  /** Kept over crashes of one boot, on tmpfs beside the control socket. */
  readonly #roleFile: StateFile;
  /** Kept over boots. */
  readonly #maintenanceFile: StateFile;
  readonly #bootId = readBootId();
  #maintenance: boolean;
  #maintenanceUnsaved: string | undefined;
  #saved = '';

  constructor(controlPath: string, stateFolder: string, logger: Logger) {
    this.#roleFile = new StateFile(besideControl(controlPath, 'role.json'), logger, {
      loss: 'a crash will not be resumed',
      durable: false,
    });
    this.#maintenanceFile = new StateFile(join(stateFolder, 'state.json'), logger, {
      loss: 'a restart will not know of the maintenance',
      durable: true,
    });
    this.#maintenance = this.#maintenanceFile.read().maintenance;
  }

  get maintenance(): boolean {
    return this.#maintenance;
  }

  /** Why the maintenance that was set last is not in its file. */
  get maintenanceUnsaved(): string | undefined {
    return this.#maintenanceUnsaved;
  }

  setMaintenance(on: boolean): void {
    this.#maintenance = on;
    const state = { bootId: this.#bootId ?? '', maintenance: on, units: {} };
    this.#maintenanceUnsaved = this.#maintenanceFile.write(state);
  }

  /** Units whose peers cannot have timed out since their last advertisement. */
  resumable(vrrp: VrrpSettings, now: Microseconds): ReadonlySet<string> {
    return this.#mastersWithin(vrrp, now, peersPatience, Math.min);
  }

  /** Units of which not all peers must have timed out: one of them may still wait. */
  awaited(vrrp: VrrpSettings, now: Microseconds): ReadonlySet<string> {
    return this.#mastersWithin(vrrp, now, longestPatience, Math.max);
  }

  #mastersWithin(
    vrrp: VrrpSettings,
    now: Microseconds,
    patienceOf: (instance: InstanceSettings) => Microseconds,
    combine: (...patience: number[]) => number,
  ): ReadonlySet<string> {
    return mastersWithin(this.#roleFile.read(), this.#bootId, now, (unit) => {
      const members = membersOf(vrrp, unit);
      const instances = vrrp.instances.filter((instance) => members.includes(instance.name));
      if (instances.length === 0) return undefined;
      return microseconds(combine(...instances.map(patienceOf)));
    });
  }

  /** Writes only what changed; to be called a few times a second. */
  save(roles: RolePicture): void {
    // One pass: looking through all instances for each of 500 units took 5 % of a core.
    const oldest = new Map<string, Microseconds>();
    for (const { unit, lastAdvertSent } of roles.instances) {
      if (lastAdvertSent === undefined) continue;
      const before = oldest.get(unit);
      if (before === undefined || lastAdvertSent < before) oldest.set(unit, lastAdvertSent);
    }
    const masters = roles.units.flatMap((unit): [string, Microseconds][] => {
      const sent = unit.state === 'MASTER' ? oldest.get(unit.name) : undefined;
      return sent === undefined ? [] : [[unit.name, sent]];
    });
    this.#write(masters);
  }

  /** A clean stop is not resumed. */
  forget(): void {
    this.#write([]);
  }

  #write(masters: readonly [string, Microseconds][]): void {
    const text = JSON.stringify(masters);
    if (text === this.#saved) return;
    this.#saved = text;
    const units = Object.fromEntries(masters);
    this.#roleFile.write({ bootId: this.#bootId ?? '', maintenance: this.#maintenance, units });
  }
}

/** Instances of a group, or the lone instance itself. */
export function membersOf(vrrp: VrrpSettings, unit: string): readonly string[] {
  return vrrp.groups.find((group) => group.name === unit)?.members ?? [unit];
}
