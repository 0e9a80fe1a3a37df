/**
 * All of VRRP on one node, joined to the world: sockets, trackers, VIPs, notifications and the
 * units with their pure machines. Decides nothing itself. Constructed once, in the daemon's
 * composition.
 */
import { BugError } from '../base/errors.js';
import type { NetworkEvent, VrrpDatagram } from '../net/ports.js';
import { Announcements } from './addresses/announce.js';
import { AdvertAuthentication, type SignedNumbers } from './auth/advertAuthentication.js';
import { ConditionKeeper } from './tracking/conditionKeeper.js';
import { Holdings } from './addresses/holdings.js';
import { staticItems } from './addresses/holdingItems.js';
import { gatedControl } from './addresses/kernelGate.js';
import { NoAccept } from './addresses/noAccept.js';
import { Notifier } from './notify/notifier.js';
import { provedInput } from './provedInput.js';
import type { RouterOptions, RouterPorts } from './routerPorts.js';
import { runWithDeadline } from './scripts/deadline.js';
import { Senders } from './wire/senders.js';
import type { InstanceSettings, VrrpSettings } from './settings.js';
import { takeRolePicture, type RolePicture } from './status/rolePicture.js';
import { takeSnapshot, type RouterSnapshot } from './status/snapshot.js';
import { SocketPool } from './wire/socketPool.js';
import { SecondaryPromotion } from './addresses/secondaryPromotion.js';
import { Trackers } from './tracking/trackers.js';
import { UnknownVrids } from './unknownVrids.js';
import { UnitRunner, type UnitInput, type UnitPorts } from './unitRunner.js';
import { leavingMembers, successorOf, unitsOf, type Bindings } from './machine/units.js';

/**
 * Owner of the static addresses, routes and rules among the holdings; no instance can have this
 * name.
 */
const staticOwner = '(static)';

export class VrrpRouter {
  readonly #ports: RouterPorts;
  readonly #options: RouterOptions;
  #settings: VrrpSettings;
  #bindings: Bindings;
  readonly #units = new Map<string, UnitRunner>();
  readonly #unitOfInstance = new Map<string, UnitRunner>();
  readonly #pool: SocketPool;
  readonly #trackers: Trackers;
  readonly #holdings: Holdings;
  readonly #announcements: Announcements;
  readonly #noAccept: NoAccept;
  readonly #promotion: SecondaryPromotion;
  readonly #auth: AdvertAuthentication;
  readonly #unknownVrids: UnknownVrids;
  readonly #senders: Senders;
  readonly #conditions: ConditionKeeper;
  #notifier: Notifier | undefined;
  #unsubscribe: () => void = () => undefined;
  #isRunning = false;
  #isInMaintenance: boolean;

  constructor(ports: RouterPorts, settings: VrrpSettings, options: RouterOptions) {
    this.#ports = ports;
    this.#settings = settings;
    this.#options = options;
    this.#bindings = options.bindings;
    this.#isInMaintenance = options.inMaintenance ?? false;
    this.#pool = new SocketPool(ports, (instance, datagram, interfaceName) =>
      this.#datagram(instance, datagram, interfaceName),
    );
    this.#announcements = new Announcements(ports);
    this.#noAccept = new NoAccept(ports.firewall, ports.logger);
    this.#promotion = new SecondaryPromotion(ports.sysctls, ports.logger);
    this.#unknownVrids = new UnknownVrids(ports);
    this.#auth = new AdvertAuthentication(ports.clock, options.signedNumbers);
    this.#senders = new Senders({ ...ports, pool: this.#pool, auth: this.#auth });
    const held = { ...ports, control: gatedControl(ports.control) };
    this.#holdings = new Holdings(held, (owner, spec) => {
      const garp = settingsOf(this.#settings, owner)?.garp;
      if (garp !== undefined) this.#announcements.block(owner, [spec], garp.masterRepeat, garp);
    });
    this.#trackers = new Trackers(ports, () => this.#conditions.refreshSoon());
    this.#conditions = new ConditionKeeper(
      { ...ports, pool: this.#pool, trackers: this.#trackers },
      (instance, conditions) => {
        this.#unitOfInstance.get(instance)?.input({ kind: 'conditions', instance, conditions });
      },
    );
  }

  /**
   * Runs the start-up script, clears what an earlier run has left, sets static items, starts all
   * units. Resolves when every unit runs; the first role changes may have been told by then.
   */
  async start(): Promise<void> {
    const { startupScript } = this.#settings;
    if (startupScript !== undefined) await this.#runOnce(startupScript);
    this.#notifier = new Notifier(this.#ports, this.#settings, this.#options.notifyAfter);
    this.#unsubscribe = this.#ports.network.subscribe((event) => this.#networkChanged(event));
    this.#applyPromotion();
    const units = unitsOf(this.#settings, this.#bindings);
    const fresh = units.filter((unit) => !this.#options.resume.has(unit.name));
    await this.#holdings.removeLeftovers(fresh.flatMap((unit) => unit.members));
    if (this.#settings.instances.some((instance) => NoAccept.concerns(instance))) {
      await this.#noAccept.clear();
    }
    await this.#holdings.raise(staticOwner, staticItems(this.#settings));
    this.#isRunning = true;
    this.#trackers.apply(this.#settings);
    for (const unit of units) this.#addUnit(unit);
    this.#conditions.apply(this.#settings);
    for (const unit of this.#units.values()) {
      this.#startUnit(unit, this.#options.resume.has(unit.settings.name));
    }
    // A fault, or maintenance, kept it from resuming: its VIPs must not stay.
    const declined = units.filter(
      (unit) => !fresh.includes(unit) && this.#units.get(unit.name)?.state.role !== 'MASTER',
    );
    await this.#holdings.removeLeftovers(declined.flatMap((unit) => unit.members));
    for (const name of this.#options.awaited ?? []) this.#sayGoodbye(this.#units.get(name));
  }

  /** Swaps the settings: units that stay keep role, timers, counters and VIPs. */
  async reload(settings: VrrpSettings, bindings: Bindings): Promise<void> {
    const wanted = unitsOf(settings, bindings);
    await this.#removeWhatLeaves(wanted);
    this.#settings = settings;
    this.#bindings = bindings;
    this.#notifier?.reload(settings);
    this.#applyPromotion();
    await this.#holdings.change(staticOwner, staticItems(settings));
    this.#trackers.apply(settings);
    const added: UnitRunner[] = [];
    for (const unit of wanted) {
      const known = this.#units.get(unit.name);
      if (known === undefined) added.push(this.#addUnit(unit));
      else this.#reloadUnit(known, unit);
    }
    this.#conditions.apply(settings);
    await this.#holdings.removeLeftovers(added.flatMap((unit) => unit.settings.members));
    for (const unit of added) this.#startUnit(unit, false);
  }

  /**
   * Priority 0 where MASTER, VIPs removed, notify_stop run (a second at most), static items
   * removed. `keepVips` leaves everything in the kernel and sends nothing (keepalived's
   * --dont-release-vrrp).
   */
  async stop(options: { readonly keepVips: boolean } = { keepVips: false }): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#unsubscribe();
    this.#trackers.close();
    this.#conditions.close();
    const units = [...this.#units.values()];
    if (!options.keepVips) {
      for (const unit of units) unit.input({ kind: 'stop', because: 'STOP' });
    }
    await Promise.all(units.map((unit) => unit.idle()));
    for (const unit of units) unit.close();
    if (!options.keepVips) await this.#holdings.lower(staticOwner);
    await this.#notifier?.stop();
    this.#holdings.close();
    this.#announcements.close();
    this.#promotion.restore();
    this.#pool.close();
    this.#unknownVrids.close();
    const { shutdownScript } = this.#settings;
    if (shutdownScript !== undefined) await this.#runOnce(shutdownScript);
  }

  // ---- what the role coordinator can do to a unit --------------------------------------------

  /** Names of the units: groups, then lone instances. */
  get unitNames(): readonly string[] {
    return [...this.#units.keys()];
  }

  releaseVips(unit: string, epoch: number): void {
    this.#input(unit, { kind: 'vipsReleased', epoch });
  }

  grantPreemption(unit: string, epoch: number): void {
    this.#input(unit, { kind: 'preemptionGranted', epoch });
  }

  /** Planned hand-over: a MASTER gives up with priority 0, and does not preempt until released. */
  resign(unit: string, because: string): void {
    this.#input(unit, { kind: 'resign', because });
  }

  /**
   * The peer hands over: be MASTER now. `vipsCommitted`: the VIPs need not wait for the
   * coordinator.
   */
  assumeRole(unit: string, because: string, vipsCommitted: boolean): void {
    this.#input(unit, { kind: 'assumeRole', because, vipsCommitted });
  }

  holdPreemption(unit: string, because: string): void {
    this.#input(unit, { kind: 'holdPreemption', because });
  }

  releasePreemption(unit: string): void {
    this.#input(unit, { kind: 'releasePreemption' });
  }

  setMaintenance(on: boolean): void {
    this.#isInMaintenance = on;
    for (const unit of this.#units.values()) unit.input({ kind: 'maintenance', on });
  }

  /** Another MASTER was there: a block of gratuitous ARP for each VIP of a unit that is MASTER. */
  announceAgain(unit: string): void {
    this.#units.get(unit)?.announceAgain();
  }

  /** A unit that gave way shows the MASTER that it was MASTER too. */
  testify(unit: string): void {
    this.#units.get(unit)?.testify();
  }

  /** What is known of the targets that instances track (src/vrrp/reach). */
  targetsAre(targets: Parameters<Trackers['targetsAre']>[0]): void {
    this.#trackers.targetsAre(targets);
  }

  snapshot(): RouterSnapshot {
    return takeSnapshot({
      settings: this.#settings,
      units: [...this.#units.values()],
      holdings: this.#holdings,
      staticOwner,
      trackers: this.#trackers,
      senders: this.#senders,
      auth: this.#auth,
      clock: this.#ports.clock,
    });
  }

  roles(): RolePicture {
    return takeRolePicture(this.#units.values(), this.#ports.clock.now());
  }

  /** For the files: numbers of auth_hmac that no later life may repeat or accept again. */
  signedNumbers(): SignedNumbers {
    return this.#auth.numbers;
  }

  // ---- inside --------------------------------------------------------------------------------

  #input(unit: string, event: UnitInput): void {
    this.#units.get(unit)?.input(event);
  }

  #unitPorts(): UnitPorts {
    return {
      ...this.#ports,
      observer: this.#options.observer,
      holdings: this.#holdings,
      announcements: this.#announcements,
      notifier: () => {
        if (this.#notifier === undefined) throw new BugError('notification before the start');
        return this.#notifier;
      },
      sendAdvert: (...args) => this.#senders.sendAdvert(...args),
      announceSource: (...args) => this.#senders.announceSource(...args),
      isTranslated: this.#options.isTranslated ?? (() => false),
      drain: (instance) => this.#pool.socketOf(instance)?.drain(),
      vipsChanged: (instance, arePresent) => this.#noAccept.vipsChanged(instance, arePresent),
      record: this.#options.record,
    };
  }

  #addUnit(settings: UnitRunner['settings']): UnitRunner {
    const unit = new UnitRunner(this.#unitPorts(), settings);
    this.#units.set(settings.name, unit);
    for (const member of settings.members) this.#adopt(member.name, unit);
    return unit;
  }

  #startUnit(unit: UnitRunner, resumeMaster: boolean): void {
    if (this.#isInMaintenance) unit.input({ kind: 'maintenance', on: true });
    unit.input({ kind: 'start', resumeMaster });
  }

  /** What waits in the sockets is read first: a MASTER among it makes the goodbye needless. */
  #sayGoodbye(unit: UnitRunner | undefined): void {
    for (const { name } of unit?.settings.members ?? []) this.#pool.socketOf(name)?.drain();
    unit?.input({ kind: 'goodbye' });
  }

  /**
   * Units and members that the new settings do not have say priority 0 and give up their VIPs
   * first.
   */
  async #removeWhatLeaves(wanted: readonly UnitRunner['settings'][]): Promise<void> {
    const units = [...this.#units.values()];
    for (const unit of units) {
      const after = successorOf(unit.settings, wanted);
      if (after === undefined) unit.input({ kind: 'stop', because: 'DELETED' });
      for (const instance of after === undefined ? [] : leavingMembers(unit.settings, after)) {
        unit.input({ kind: 'removeMember', instance });
      }
    }
    await Promise.all(units.map((unit) => unit.idle()));
    for (const unit of units) {
      const after = successorOf(unit.settings, wanted);
      if (after === undefined) this.#dropUnit(unit);
      else for (const name of leavingMembers(unit.settings, after)) this.#forgetInstance(name);
    }
  }

  #reloadUnit(unit: UnitRunner, settings: UnitRunner['settings']): void {
    for (const { name } of settings.members) {
      if (this.#unitOfInstance.get(name) !== unit) this.#adopt(name, unit);
    }
    unit.reload(settings);
  }

  /**
   * The unit learns the instance's conditions with the next look, whatever another was told of it.
   */
  #adopt(instance: string, unit: UnitRunner): void {
    this.#unitOfInstance.set(instance, unit);
    this.#conditions.forget(instance);
  }

  #dropUnit(unit: UnitRunner): void {
    unit.close();
    this.#units.delete(unit.settings.name);
    this.#notifier?.forget('GROUP', unit.settings.name);
    for (const member of unit.settings.members) this.#forgetInstance(member.name);
  }

  #forgetInstance(name: string): void {
    this.#notifier?.forget('INSTANCE', name);
    this.#conditions.forget(name);
    this.#unitOfInstance.delete(name);
    this.#auth.forget(name);
    this.#pool.release(name);
  }

  #datagram(
    chosen: InstanceSettings | undefined,
    datagram: VrrpDatagram,
    interfaceName: string,
  ): void {
    if (chosen === undefined) {
      if (this.#settings.logUnknownVrids) this.#unknownVrids.note(datagram, interfaceName);
      return;
    }
    const event = { kind: 'datagram', instance: chosen.name, datagram } as const;
    const proved = chosen.hmac === undefined ? event : provedInput(this.#auth, chosen, event);
    this.#unitOfInstance.get(chosen.name)?.input(proved);
  }

  #networkChanged(event: NetworkEvent): void {
    this.#holdings.networkChanged(event);
    if (event.kind === 'link' || event.kind === 'linkGone') {
      this.#trackers.linkChanged(event.link.name);
      if (event.kind === 'link') this.#applyPromotion();
    }
    this.#conditions.networkChanged(event);
  }

  #applyPromotion(): void {
    const wanted = this.#settings.instances.filter((instance) => instance.promoteSecondaries);
    this.#promotion.apply(new Set(wanted.map((instance) => instance.interfaceName)));
  }

  #runOnce(script: NonNullable<VrrpSettings['startupScript']>): Promise<void> {
    return new Promise((resolve) => {
      runWithDeadline(this.#ports, script.command, script.timeout, () => resolve());
    });
  }
}

function settingsOf(settings: VrrpSettings, instance: string): InstanceSettings | undefined {
  return settings.instances.find((one) => one.name === instance);
}
