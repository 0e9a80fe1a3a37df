/** A switch. Its ports can be cut (carrier loss at the host) and made lossy. */
import { run } from './command.js';
import type { Host } from './host.js';
import type { Lab } from './lab.js';

export class Bridge {
  /** The namespace that holds the bridge device `br0`. */
  readonly host: Host;
  readonly #lab: Lab;
  readonly #ports = new Map<string, string>();

  constructor(lab: Lab, host: Host) {
    this.#lab = lab;
    this.host = host;
  }

  /** Plugs interface `name` of `host` into the switch. */
  async attach(host: Host, name: string, addresses: readonly string[] = []): Promise<void> {
    const port = `p${this.#ports.size}`;
    this.#ports.set(portKey(host, name), port);
    await this.#lab.link({ host: this.host, name: port }, { host, name, addresses });
    await this.host.ip(`link set ${port} master br0`);
  }

  /** The device of the switch that `name` of `host` is plugged into. */
  port(host: Host, name: string): string {
    const port = this.#ports.get(portKey(host, name));
    if (port === undefined) throw new Error(`${host.name}/${name} is not plugged in here`);
    return port;
  }

  /** Pulls the cable: the host sees its interface lose carrier while it stays administratively up. */
  async cut(host: Host, name: string): Promise<void> {
    await this.host.ip(`link set ${this.port(host, name)} down`);
  }

  async restore(host: Host, name: string): Promise<void> {
    await this.host.ip(`link set ${this.port(host, name)} up`);
  }

  /**
   * Drops `percent` of the frames that leave towards `name` of `host` (the port stays up). 100 cuts the
   * cable without carrier loss; 0 ends it.
   */
  async lose(host: Host, name: string, percent: number): Promise<void> {
    const port = this.port(host, name);
    await run([...this.host.enter, 'nft', '-f', '-'], {
      input:
        `table netdev loss_${port} {}\ndelete table netdev loss_${port}\n` +
        (percent <= 0
          ? ''
          : `table netdev loss_${port} { chain c { type filter hook egress device "${port}" priority 0; ` +
            `numgen random mod 100 < ${percent} drop; }; }\n`),
    });
  }
}

function portKey(host: Host, name: string): string {
  return `${host.name}/${name}`;
}
