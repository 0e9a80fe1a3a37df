/** Kernel parameters under /proc/sys, as a port. */
import { readFileSync, writeFileSync } from 'node:fs';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';

/** `name` as a path below /proc/sys: `net/ipv4/conf/eth0/promote_secondaries`. */
export interface Sysctls {
  /** undefined where there is no such parameter. */
  read(name: string): string | undefined;
  /** Gives why it could not be written. */
  write(name: string, value: string): string | undefined;
}

export const procSysctls: Sysctls = {
  read: (name) => {
    try {
      return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
    } catch {
      // The interface does not exist, or the kernel has no such parameter.
      return undefined;
    }
  },
  write: (name, value) => {
    try {
      writeFileSync(`/proc/sys/${name}`, value);
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  },
};

/**
 * `promote_secondaries`: when the primary address of an interface goes, the VIPs beside it stay.
 * Set while an instance asks for it, put back at the end (keepalived 2.2.7).
 */
export class SecondaryPromotion {
  readonly #sysctls: Sysctls;
  readonly #logger: Logger;
  readonly #before = new Map<string, string>();

  constructor(sysctls: Sysctls, logger: Logger) {
    this.#sysctls = sysctls;
    this.#logger = logger;
  }

  /** Exactly these interfaces from now on. */
  apply(interfaceNames: ReadonlySet<string>): void {
    for (const [name, value] of this.#before) {
      if (interfaceNames.has(name)) continue;
      this.#sysctls.write(parameter(name), value);
      this.#before.delete(name);
    }
    for (const name of interfaceNames) {
      const now = this.#sysctls.read(parameter(name));
      if (now === undefined || now === '1') continue;
      if (!this.#before.has(name)) this.#before.set(name, now);
      const reason = this.#sysctls.write(parameter(name), '1');
      if (reason === undefined) continue;
      this.#logger.log('warning', 'cannot set promote_secondaries', { interface: name, reason });
    }
  }

  restore(): void {
    this.apply(new Set());
  }
}

function parameter(interfaceName: string): string {
  return `net/ipv4/conf/${interfaceName}/promote_secondaries`;
}
