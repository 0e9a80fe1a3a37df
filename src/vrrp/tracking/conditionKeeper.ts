/**
 * Looks at the world whenever something changed and tells each instance its conditions, when they
 * differ from those told before. Many changes that arrive together cost one look.
 */
import { ipEquals, type IpAddress } from '../../base/ipAddress.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { NetworkEvent, NetworkWatch } from '../../net/ports.js';
import { conditionsOf, sameConditions } from './conditions.js';
import type { Conditions } from '../machine/events.js';
import type { InstanceSettings, VrrpSettings } from '../settings.js';
import type { SocketPool } from '../wire/socketPool.js';
import type { Trackers } from './trackers.js';

/** A socket that the kernel refused is asked for again. */
const socketRetryPeriod = seconds(1);

/**
 * An address that is deleted and set again (netplan apply) is back by then: until then it counts as
 * being there.
 */
const replacementTime = milliseconds(100);

export interface ConditionPorts {
  readonly network: NetworkWatch;
  readonly timers: Timers;
  readonly pool: SocketPool;
  readonly trackers: Trackers;
}

export class ConditionKeeper {
  readonly #ports: ConditionPorts;
  readonly #onChange: (instance: string, conditions: Conditions) => void;
  readonly #sent = new Map<string, Conditions>();
  #settings: VrrpSettings | undefined;
  #isDue = false;
  #retry: ArmedTimer | undefined;
  /** Instances whose source has gone: until the timer, or `over` afterwards. */
  readonly #replacing = new Map<string, ArmedTimer | 'over'>();

  constructor(ports: ConditionPorts, onChange: (instance: string, conditions: Conditions) => void) {
    this.#ports = ports;
    this.#onChange = onChange;
  }

  /**
   * The settings from now on; each instance whose conditions are news is told before this returns.
   */
  apply(settings: VrrpSettings): void {
    this.#settings = settings;
    for (const name of this.#sent.keys()) {
      if (!settings.instances.some((instance) => instance.name === name)) this.#sent.delete(name);
    }
    this.#refresh();
  }

  /** An instance that comes back under its name starts without knowledge. */
  forget(instance: string): void {
    this.#sent.delete(instance);
    this.#endReplacing(instance);
  }

  refreshSoon(): void {
    if (this.#isDue || this.#settings === undefined) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#refresh();
    });
  }

  /**
   * Addresses come by the hundred when VIPs are set; only those that can be a source matter here.
   */
  networkChanged(event: NetworkEvent): void {
    if (event.kind === 'address') {
      const isMissed =
        this.#replacing.size > 0 ||
        [...this.#sent.values()].some((sent) => sent.sourceAddress === undefined);
      if (!isMissed) return;
    }
    if (event.kind === 'addressGone') {
      const gone = event.address.address;
      const isUsed = [...this.#sent.values()].some(
        (sent) => sent.sourceAddress !== undefined && ipEquals(sent.sourceAddress, gone),
      );
      if (!isUsed) return;
    }
    this.refreshSoon();
  }

  close(): void {
    this.#retry?.cancel();
    for (const instance of [...this.#replacing.keys()]) this.#endReplacing(instance);
    this.#settings = undefined;
  }

  #refresh(): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    const { network, trackers } = this.#ports;
    const kernel = { links: network.links(), addresses: network.addresses() };
    let refused = false;
    for (const instance of settings.instances) {
      const look = (lingering?: IpAddress): Conditions =>
        conditionsOf(settings, instance, trackers.observations, kernel, lingering);
      const seen = this.#withReplacement(instance, look);
      const because = this.#assignSocket(instance, seen);
      refused ||= because !== undefined;
      const conditions =
        because === undefined ? seen : { ...seen, faults: [...seen.faults, because] };
      const before = this.#sent.get(instance.name);
      if (before !== undefined && sameConditions(before, conditions)) continue;
      this.#sent.set(instance.name, conditions);
      this.#onChange(instance.name, conditions);
    }
    if (refused) this.#retryLater();
  }

  /** What is seen, with a source that has just gone. */
  #withReplacement(
    { name, interfaceName }: InstanceSettings,
    look: (lingering?: IpAddress) => Conditions,
  ): Conditions {
    const seen = look();
    const lost = this.#sent.get(name)?.sourceAddress;
    const hasLink = this.#ports.network.linkByName(interfaceName) !== undefined;
    if (seen.sourceAddress !== undefined || lost === undefined || !hasLink) {
      this.#endReplacing(name);
      return seen;
    }
    if (this.#isReplacing(name)) return look(lost);
    return { ...seen, lostSource: lost };
  }

  #isReplacing(instance: string): boolean {
    const known = this.#replacing.get(instance);
    if (known !== undefined) return known !== 'over';
    const timer = this.#ports.timers.after(replacementTime, () => {
      this.#replacing.set(instance, 'over');
      this.#refresh();
    });
    this.#replacing.set(instance, timer);
    return true;
  }

  #endReplacing(instance: string): void {
    const known = this.#replacing.get(instance);
    if (known !== undefined && known !== 'over') known.cancel();
    this.#replacing.delete(instance);
  }

  /** A link that does not exist is a fault by itself already. */
  #assignSocket(instance: InstanceSettings, seen: Conditions): string | undefined {
    const because = this.#ports.pool.assign(instance, seen.sourceAddress ?? seen.lostSource);
    const hasLink = this.#ports.network.linkByName(instance.interfaceName) !== undefined;
    return hasLink || !instance.trackPrimary ? because : undefined;
  }

  #retryLater(): void {
    this.#retry ??= this.#ports.timers.after(socketRetryPeriod, () => {
      this.#retry = undefined;
      this.#refresh();
    });
  }
}
