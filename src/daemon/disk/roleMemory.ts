/**
 * What a node remembers of its roles over a crash and over a boot, and who was MASTER so lately
 * that it may resume.
 */
import { join } from 'node:path';
import type { Logger } from '../../base/logger.js';
import { microseconds, type Microseconds } from '../../base/time.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { InstanceSettings, VrrpSettings } from '../../vrrp/settings.js';
import { slowestPeerTimeout, peersTimeout } from '../../vrrp/machine/timing.js';
import { besideControl } from './besideControl.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { readBootId, mastersWithin, StateFile, type SavedState } from './stateFile.js';

export class RoleMemory {
  /** Kept over crashes of one boot, on tmpfs beside the control socket. */
  readonly #roleFile: StateFile;
  /** Kept over boots. */
  readonly #maintenanceFile: StateFile;
  readonly #bootId = readBootId();
  #maintenance: boolean;
  #maintenanceUnsaved: string | undefined;
  #problems: readonly ProblemRecord[];
  #peerWasKeepstate: boolean;
  #saved = '';
  /** Units that are MASTER, with their last advertisement, as last written. */
  #masters = new Map<string, Microseconds>();
  /**
   * Units that were MASTER in this boot, until their last advertisement, and may have flows of that
   * time.
   */
  readonly #left: Map<string, Microseconds>;

  constructor(controlPath: string, stateFolder: string, logger: Logger) {
    this.#roleFile = new StateFile(besideControl(controlPath, 'role.json'), logger, {
      loss: 'a crash will not be resumed',
      durable: false,
    });
    this.#maintenanceFile = new StateFile(join(stateFolder, 'state.json'), logger, {
      loss: 'a restart will not know of maintenance and problems',
      durable: true,
    });
    const saved = this.#maintenanceFile.read();
    this.#maintenance = saved.maintenance;
    this.#problems = saved.problems ?? [];
    this.#peerWasKeepstate = saved.peerWasKeepstate === true;
    const roles = this.#roleFile.read();
    const isOfThisBoot = this.#bootId !== undefined && roles.bootId === this.#bootId;
    const before = isOfThisBoot ? { ...roles.left, ...roles.units } : {};
    this.#left = new Map(Object.entries(before));
  }

  /** What became of each problem. */
  get problems(): readonly ProblemRecord[] {
    return this.#problems;
  }

  /** When what was saved last is on the disk, or could not be. */
  saved(): Promise<void> {
    return this.#maintenanceFile.written();
  }

  saveProblems(records: readonly ProblemRecord[]): void {
    this.#problems = records;
    this.#maintenanceFile.writeLater(this.#lasting);
  }

  /** Also in an earlier life of this daemon. */
  get peerWasKeepstate(): boolean {
    return this.#peerWasKeepstate;
  }

  notePeer(isKeepstate: boolean): void {
    if (this.#peerWasKeepstate === isKeepstate) return;
    this.#peerWasKeepstate = isKeepstate;
    this.#maintenanceFile.writeLater(this.#lasting);
  }

  /**
   * Until when a unit that is not MASTER now was it last, in this boot; undefined once nothing is
   * left of that.
   */
  masterUntil(unit: string): Microseconds | undefined {
    return this.#left.get(unit);
  }

  /** The kernel holds no flow any more of when this unit was MASTER. */
  nothingLeft(unit: string): void {
    if (this.#left.delete(unit)) this.#write([...this.#masters]);
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
    this.#maintenanceUnsaved = this.#maintenanceFile.write(this.#lasting);
  }

  get #lasting(): SavedState {
    return {
      ...{ bootId: this.#bootId ?? '', maintenance: this.#maintenance, units: {} },
      problems: this.#problems,
      peerWasKeepstate: this.#peerWasKeepstate,
    };
  }

  /** Units whose peers cannot have timed out since their last advertisement. */
  resumable(vrrp: VrrpSettings, now: Microseconds): ReadonlySet<string> {
    return this.#mastersWithin(vrrp, now, peersTimeout, Math.min);
  }

  /** Units of which not all peers must have timed out: one of them may still wait. */
  awaited(vrrp: VrrpSettings, now: Microseconds): ReadonlySet<string> {
    return this.#mastersWithin(vrrp, now, slowestPeerTimeout, Math.max);
  }

  #mastersWithin(
    vrrp: VrrpSettings,
    now: Microseconds,
    timeoutOf: (instance: InstanceSettings) => Microseconds,
    combine: (...timeouts: number[]) => number,
  ): ReadonlySet<string> {
    return mastersWithin(this.#roleFile.read(), this.#bootId, now, (unit) => {
      const members = membersOf(vrrp, unit);
      const instances = vrrp.instances.filter((instance) => members.includes(instance.name));
      if (instances.length === 0) return undefined;
      return microseconds(combine(...instances.map(timeoutOf)));
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
    const now = new Map(masters);
    for (const [unit, at] of this.#masters) if (!now.has(unit)) this.#left.set(unit, at);
    for (const unit of now.keys()) this.#left.delete(unit);
    this.#masters = now;
    const text = JSON.stringify([masters, ...this.#left]);
    if (text === this.#saved) return;
    this.#saved = text;
    const units = Object.fromEntries(masters);
    const left = Object.fromEntries(this.#left);
    this.#roleFile.write({
      ...{ bootId: this.#bootId ?? '', maintenance: this.#maintenance, units },
      ...(this.#left.size === 0 ? {} : { left }),
    });
  }
}

/** Instances of a group, or the lone instance itself. */
export function membersOf(vrrp: VrrpSettings, unit: string): readonly string[] {
  return vrrp.groups.find((group) => group.name === unit)?.members ?? [unit];
}
