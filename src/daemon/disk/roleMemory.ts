/**
 * What a node remembers of its roles over a crash and over a boot, and who was MASTER so lately
 * that it may resume.
 */
import { join } from 'node:path';
import type { Logger } from '../../base/logger.js';
import { microseconds, type Microseconds } from '../../base/time.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { SyncReport } from '../../sync/messages.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import type { InstanceSettings, VrrpSettings } from '../../vrrp/settings.js';
import { slowestPeerTimeout, peersTimeout } from '../../vrrp/machine/timing.js';
import type { SignedNumbers } from '../../vrrp/auth/advertAuthentication.js';
import { besideControl } from '../../control/besideControl.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { systemDisk, type Disk } from './disk.js';
import { mergeNumbers, newestOf, saveNumbers } from './savedNumbers.js';
import { mastersWithin, StateFile, type SavedState } from './stateFile.js';

/** A minute of numbers of auth_hmac: the disk is not written more often for them. */
const diskPeriod = 60n << 32n;

export class RoleMemory {
  /** Kept over crashes of one boot, on tmpfs beside the control socket. */
  readonly #roleFile: StateFile;
  /** Kept over boots. */
  readonly #maintenanceFile: StateFile;
  readonly #bootId: string | undefined;
  #maintenance: boolean;
  #maintenanceUnsaved: string | undefined;
  #problems: readonly ProblemRecord[];
  #peerWasKeepstate: boolean;
  #sealedWith: readonly string[];
  /** `state_directory` of this node: what else it keeps stands there too. */
  readonly folder: string;
  #saved = '';
  /** A restart in this boot is not to preempt: the role was handed over for it. */
  #holds: boolean;
  #numbers: SignedNumbers;
  /** Newest number in `state.json`. */
  #newestOnDisk: bigint | undefined;
  /** Units that are MASTER, with their last advertisement, as last written. */
  #masters = new Map<string, Microseconds>();
  /**
   * Units that were MASTER in this boot, until their last advertisement, and may have flows of that
   * time.
   */
  readonly #left: Map<string, Microseconds>;

  constructor(controlPath: string, stateFolder: string, logger: Logger, disk: Disk = systemDisk) {
    const file = (path: string, loss: string, durable: boolean): StateFile =>
      new StateFile(path, logger, { loss, durable }, disk);
    const rolePath = besideControl(controlPath, 'role.json');
    const lasting = join(stateFolder, 'state.json');
    this.folder = stateFolder;
    this.#bootId = disk.bootId();
    this.#roleFile = file(rolePath, 'a crash will not be resumed', false);
    const loss = 'a restart will not know of maintenance and problems';
    this.#maintenanceFile = file(lasting, loss, true);
    const saved = this.#maintenanceFile.read();
    this.#maintenance = saved.maintenance;
    this.#problems = saved.problems ?? [];
    this.#peerWasKeepstate = saved.peerWasKeepstate === true;
    this.#sealedWith = saved.sealedWith ?? [];
    const roles = this.#roleFile.read();
    const isOfThisBoot = this.#bootId !== undefined && roles.bootId === this.#bootId;
    const before = isOfThisBoot ? { ...roles.left, ...roles.units } : {};
    this.#left = new Map(Object.entries(before));
    this.#holds = isOfThisBoot && roles.holds === true;
    const onDisk = this.#maintenanceFile.readNumbers();
    this.#newestOnDisk = newestOf(onDisk);
    this.#numbers = mergeNumbers(onDisk, this.#roleFile.readNumbers());
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

  /** Fingerprints of the keys of which the peer has shown one, in an earlier life too. */
  get sealedWith(): readonly string[] {
    return this.#sealedWith;
  }

  /** What the worker tells, and a later life must know. `unit`: the bound one. */
  reported({ kind }: SyncReport, unit: string, { syncKeys = [] }: NodeSettings): void {
    if (kind === 'purged') this.nothingLeft(unit);
    if (kind !== 'peerSealed') return;
    this.#sealedWith = syncKeys.map(({ secret }) => secret.fingerprint);
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

  /** Numbers of auth_hmac that were sent and accepted, as last noted. */
  get signedNumbers(): SignedNumbers {
    return this.#numbers;
  }

  /** Whether an earlier life in this boot asked this one not to preempt. */
  get holds(): boolean {
    return this.#holds;
  }

  setHold(on: boolean): void {
    this.#holds = on;
    this.#write([...this.#masters]);
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
      ...(this.#sealedWith.length === 0 ? {} : { sealedWith: this.#sealedWith }),
      ...this.#savedNumbers,
    };
  }

  get #savedNumbers(): Pick<SavedState, 'numbers'> {
    const isEmpty = newestOf(this.#numbers) === undefined;
    return isEmpty ? {} : { numbers: saveNumbers(this.#numbers) };
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
  save(roles: RolePicture, numbers: SignedNumbers): void {
    this.#noteNumbers(numbers);
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
  forget(numbers: SignedNumbers): void {
    this.#numbers = numbers;
    if (newestOf(numbers) !== undefined) this.#maintenanceFile.writeLater(this.#lasting);
    this.#write([]);
  }

  /** The disk has them once a minute. */
  #noteNumbers(numbers: SignedNumbers): void {
    this.#numbers = numbers;
    const newest = newestOf(numbers);
    if (newest === undefined) return;
    const age = this.#newestOnDisk === undefined ? undefined : newest - this.#newestOnDisk;
    if (age !== undefined && age < diskPeriod) return;
    this.#newestOnDisk = newest;
    this.#maintenanceFile.writeLater(this.#lasting);
  }

  #write(masters: readonly [string, Microseconds][]): void {
    const now = new Map(masters);
    for (const [unit, at] of this.#masters) if (!now.has(unit)) this.#left.set(unit, at);
    for (const unit of now.keys()) this.#left.delete(unit);
    this.#masters = now;
    const numbers = this.#savedNumbers;
    // Who took the role since holds nothing back.
    if (masters.length > 0) this.#holds = false;
    const text = JSON.stringify([masters, numbers, this.#holds, ...this.#left]);
    if (text === this.#saved) return;
    this.#saved = text;
    const units = Object.fromEntries(masters);
    const left = Object.fromEntries(this.#left);
    this.#roleFile.write({
      ...{ bootId: this.#bootId ?? '', maintenance: this.#maintenance, units },
      ...(this.#left.size === 0 ? {} : { left }),
      ...(this.#holds ? { holds: true } : {}),
      ...numbers,
    });
  }
}

/** Instances of a group, or the lone instance itself. */
export function membersOf(vrrp: VrrpSettings, unit: string): readonly string[] {
  return vrrp.groups.find((group) => group.name === unit)?.members ?? [unit];
}
