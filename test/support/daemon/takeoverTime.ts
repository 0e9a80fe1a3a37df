/** When a firewall got its virtual addresses, told by the kernel, whoever set them. */
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';

export class TakeoverTime {
  readonly #monitor: ManagedProcess;

  /** Listens from a moment later on. */
  constructor(host: Host) {
    this.#monitor = host.start(['ip', '-ts', '-4', 'monitor', 'address']);
  }

  /**
   * Milliseconds from `since` (milliseconds since 1970) until both VIPs were there; undefined where
   * one never was.
   */
  async end(since: number): Promise<number | undefined> {
    await this.#monitor.kill();
    const { lanVip, wanVip } = pairAddresses;
    const times = [lanVip, wanVip].map((vip) => this.#added(vip, since));
    return times.includes(undefined) ? undefined : Math.max(...times.map(Number)) - since;
  }

  /** `[2026-11-25T13:45:17.123456] 5: lan    inet 10.1.0.254/24 ...`; a removal says `Deleted` before the number. */
  #added(address: string, since: number): number | undefined {
    return this.#monitor.stdout
      .split('\n')
      .map((line) => /^\[(\S+)\d{3}\] ?\d+: \S+ +inet ([\d.]+)\//.exec(line))
      .filter((found) => found?.[2] === address)
      .map((found) => new Date(found?.[1] ?? '').getTime())
      .find((at) => at >= since);
  }
}
