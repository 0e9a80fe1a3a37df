/**
 * Joins the targets of a node to what they concern: the instances that track them, the coordinator
 * that hands over first, and the peer, which is told and tells what is reached.
 */
import { ipEquals } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import {
  milliseconds,
  seconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type RandomSource,
  type Timers,
} from '../../base/time.js';
import type { CoordinatorRunner } from '../../coordinator/runner.js';
import type { NetworkWatch, ProberFactory } from '../../net/ports.js';
import type { SyncCommand, SyncStatus } from '../../sync/messages.js';
import { unitsOf, type Bindings } from '../../vrrp/machine/units.js';
import { Reach, targetsOf, type PeerPresence } from '../../vrrp/reach/reach.js';
import type { TrackedTarget } from '../../vrrp/reach/trackedTarget.js';
import type { TargetWord } from '../../vrrp/reach/reachWords.js';
import type { VrrpRouter } from '../../vrrp/router.js';
import type { VrrpSettings } from '../../vrrp/settings.js';
import type { RolePicture } from '../../vrrp/status/rolePicture.js';
import { roleOf } from '../status/peerRole.js';

/** Words that are no news are repeated so often: the peer takes three times that for silence. */
const wordPause = seconds(1);
/** What changes together is told together. */
const newsDelay = milliseconds(5);
/** A MASTER that is not rid of its role by then has a fault: VRRP's priority 0 does the rest. */
const handOverLimit = seconds(5);

export interface ReachExchangePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly probers: ProberFactory;
  readonly network: Pick<NetworkWatch, 'addresses'>;
  readonly router: () => Pick<
    VrrpRouter,
    'holdPreemption' | 'releasePreemption' | 'roles' | 'targetsAre'
  >;
  readonly coordinator: () => Pick<CoordinatorRunner, 'ask'> | undefined;
  readonly bound: () => string | undefined;
  /** The worker's last word; `undefined` where it is down or there is none. */
  readonly syncStatus: () => SyncStatus | undefined;
  readonly post: (command: SyncCommand) => void;
  /**
   * The peer was a keepstate, now or in an earlier life of this daemon; an operator may take that
   * back.
   */
  readonly peerWasKeepstate: () => boolean;
  /** There is a sync link, and so a channel to a peer. */
  readonly hasPeerChannel: () => boolean;
}

/** A unit that tracks a target, and whether its loss is a fault there. */
interface Tracking {
  readonly unit: string;
  readonly isFault: boolean;
}

export class ReachExchange {
  readonly #ports: ReachExchangePorts;
  readonly #reach: Reach;
  #tracking: ReadonlyMap<string, readonly Tracking[]> = new Map();
  /** Units whose preemption is held for a target, by target. */
  readonly #held = new Map<string, Set<string>>();
  #saidAt: Microseconds | undefined;
  #news: ArmedTimer | undefined;
  readonly #limits = new Set<ArmedTimer>();

  constructor(ports: ReachExchangePorts) {
    this.#ports = ports;
    this.#reach = new Reach({
      ...ports,
      hasAddress: (wanted) =>
        ports.network.addresses().some(({ address }) => ipEquals(address, wanted)),
      isMaster: (target) => this.#isMaster(target),
      hearsMaster: (target) => this.#hearsMaster(target),
      changed: () => this.#changed(),
      handOver: (target, because, done) => this.#handOver(target, because, done),
      released: (target, because) => this.#hold(target, because),
      recovered: (target) => this.#recovered(target),
    });
  }

  get targets(): readonly TrackedTarget[] {
    return this.#reach.targets;
  }

  get icmpSocket(): string {
    return this.#ports.probers.icmpSocket;
  }

  get counters(): ProberFactory['counters'] {
    return this.#ports.probers.counters;
  }

  /** Before the router has these settings: no unit shall start without its targets. */
  apply(settings: VrrpSettings, bindings: Bindings): void {
    this.#tracking = trackingOf(settings, bindings);
    this.#reach.apply(settings);
  }

  /** To be called several times a second. */
  tick(): void {
    this.#reach.tick(this.#presence());
    const now = this.#ports.clock.now();
    const isDue = this.#saidAt === undefined || subtractTime(now, this.#saidAt) >= wordPause;
    if (isDue) this.#tell();
  }

  peerSaid(words: readonly TargetWord[]): void {
    this.#reach.peerSaid(words);
  }

  close(): void {
    this.#news?.cancel();
    for (const limit of this.#limits) limit.cancel();
    this.#reach.close();
  }

  #changed(): void {
    const { router, timers } = this.#ports;
    router().targetsAre(this.#reach.observations);
    this.#news ??= timers.after(newsDelay, () => this.#tell());
  }

  #tell(): void {
    this.#news?.cancel();
    this.#news = undefined;
    this.#saidAt = this.#ports.clock.now();
    if (!this.#reach.hasWords) return;
    this.#ports.post({ kind: 'tellTargets', words: this.#reach.words() });
  }

  #presence(): PeerPresence {
    const peer = this.#ports.syncStatus()?.peer;
    if (peer?.kind !== 'keepstate') {
      const { hasPeerChannel, peerWasKeepstate } = this.#ports;
      return { kind: hasPeerChannel() && peerWasKeepstate() ? 'silent' : 'none' };
    }
    const roles = roleOf(peer.roles);
    const units = roles === undefined ? (peer.roles?.units ?? []) : [roles];
    const canServe = units.some(({ state }) => state === 'BACKUP' || state === 'MASTER');
    return {
      kind: 'present',
      canServe: canServe && peer.inMaintenance !== true,
      comparesTargets: peer.comparesTargets === true,
    };
  }

  #unitsOf(target: string): readonly Tracking[] {
    return this.#tracking.get(target) ?? [];
  }

  #picture(target: string): Pick<RolePicture, 'units' | 'instances'> {
    const wanted = new Set(this.#unitsOf(target).map(({ unit }) => unit));
    const { units, instances } = this.#ports.router().roles();
    return {
      units: units.filter(({ name }) => wanted.has(name)),
      instances: instances.filter(({ unit }) => wanted.has(unit)),
    };
  }

  #isMaster(target: string): boolean {
    return this.#picture(target).units.some(({ state }) => state === 'MASTER');
  }

  #hearsMaster(target: string): boolean {
    const { units, instances } = this.#picture(target);
    const backups = new Set(
      units.filter(({ state }) => state === 'BACKUP').map(({ name }) => name),
    );
    return instances.some(
      ({ unit, master, masterInFault }) =>
        masterInFault !== undefined ||
        (backups.has(unit) && master !== undefined && master.priority > 0),
    );
  }

  /** Of the bound unit alone: only there flows are committed before the addresses move. */
  #handOver(target: string, because: string, done: () => void): boolean {
    const bound = this.#ports.bound();
    const coordinator = this.#ports.coordinator();
    const presence = this.#presence();
    const concerned = this.#unitsOf(target).find(({ unit }) => unit === bound);
    const isMaster = this.#picture(target).units.some(
      ({ name, state }) => name === bound && state === 'MASTER',
    );
    if (bound === undefined || coordinator === undefined || concerned?.isFault !== true) {
      return false;
    }
    if (!isMaster || presence.kind !== 'present' || !presence.canServe) return false;
    const limit = this.#ports.timers.after(handOverLimit, () => end('it takes too long'));
    this.#limits.add(limit);
    const end = (why: string | undefined): void => {
      if (!this.#limits.delete(limit)) return;
      limit.cancel();
      if (why === undefined) this.#heldUnits(target).add(bound);
      else this.#ports.logger.log('warning', 'no hand-over for a target', { target, reason: why });
      done();
    };
    void coordinator
      .ask({ kind: 'failover', force: false, because })
      .then((result) => end(result.ok ? undefined : result.message));
    return true;
  }

  #hold(target: string, because: string): void {
    for (const { unit, isFault } of this.#unitsOf(target)) {
      if (!isFault) continue;
      this.#heldUnits(target).add(unit);
      this.#ports.router().holdPreemption(unit, because);
    }
  }

  #recovered(target: string): void {
    const units = this.#held.get(target) ?? new Set();
    this.#held.delete(target);
    const stillHeld = new Set([...this.#held.values()].flatMap((held) => [...held]));
    for (const unit of units) {
      if (!stillHeld.has(unit)) this.#ports.router().releasePreemption(unit);
    }
  }

  #heldUnits(target: string): Set<string> {
    const known = this.#held.get(target) ?? new Set<string>();
    this.#held.set(target, known);
    return known;
  }
}

function trackingOf(
  settings: VrrpSettings,
  bindings: Bindings,
): ReadonlyMap<string, readonly Tracking[]> {
  const found = new Map<string, Tracking[]>();
  for (const unit of unitsOf(settings, bindings)) {
    const references = unit.members.flatMap((member) => targetsOf(settings, member));
    for (const name of new Set(references.map((one) => one.name))) {
      const isFault = references.some((one) => one.name === name && one.weight === 0);
      found.set(name, [...(found.get(name) ?? []), { unit: unit.name, isFault }]);
    }
  }
  return found;
}
