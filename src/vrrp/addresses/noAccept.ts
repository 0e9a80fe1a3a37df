/** Keeps the firewall in step with the `no_accept` VIPs that are up. */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { noAcceptRuleset, type Firewall } from './firewall.js';
import type { InstanceSettings } from '../settings.js';

export class NoAccept {
  readonly #firewall: Firewall;
  readonly #logger: Logger;
  readonly #vips = new Map<string, readonly IpAddress[]>();
  #work: Promise<void> = Promise.resolve();

  constructor(firewall: Firewall, logger: Logger) {
    this.#firewall = firewall;
    this.#logger = logger;
  }

  /** An owner answers for its addresses, whatever the file says (RFC 3768 section 6.4.3). */
  static concerns(instance: InstanceSettings): boolean {
    return !instance.accept && instance.priority !== 255;
  }

  /** Resolves when the rules stand; called before VIPs come and after they went. */
  vipsChanged(instance: InstanceSettings, arePresent: boolean): Promise<void> {
    const wanted = arePresent && NoAccept.concerns(instance);
    if (!wanted && !this.#vips.has(instance.name)) return Promise.resolve();
    if (wanted) {
      const all = [...instance.virtualAddresses, ...instance.excludedAddresses];
      const addresses = all.map((vip) => vip.spec.address);
      this.#vips.set(instance.name, addresses);
    } else {
      this.#vips.delete(instance.name);
    }
    return this.#write();
  }

  /** Rules that a crashed run has left. */
  clear(): Promise<void> {
    this.#vips.clear();
    return this.#write();
  }

  #write(): Promise<void> {
    const ruleset = noAcceptRuleset([...this.#vips.values()].flat());
    this.#work = this.#work.then(async () => {
      const reason = await this.#firewall.apply(ruleset).catch(String);
      if (reason !== undefined) this.#logger.log('error', 'no_accept rules not set', { reason });
    });
    return this.#work;
  }
}
