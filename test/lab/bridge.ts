/** A switch. Its ports can be cut (carrier loss at the host) and made lossy. */
import type { Host } from './host.js';
import type { Lab } from './lab.js';
import { dropStatement } from './loss.js';

export class Bridge {
  /** The namespace that holds the bridge device `br0`. */
  readonly host: Host;
  readonly #lab: Lab;
  readonly #ports = new Map<string, string>();
  readonly #plugged: { readonly host: Host; readonly name: string }[] = [];
  #nextPort = 0;

  constructor(lab: Lab, host: Host) {
    this.#lab = lab;
    this.host = host;
  }

  /** Plugs interface `name` of `host` into the switch. */
  async attach(host: Host, name: string, addresses: readonly string[] = []): Promise<void> {
    const port = `p${this.#nextPort++}`;
    this.#ports.set(portKey(host, name), port);
    this.#plugged.push({ host, name });
    await this.#lab.link({ host: this.host, name: port }, { host, name, addresses });
    await this.host.ip(`link set ${port} master br0`);
  }

  /**
   * Lets `name` of `host` stand for a port that another device, such as a relay, is plugged into.
   */
  alias(host: Host, name: string, plugged: Host, pluggedName: string): void {
    this.#ports.set(portKey(host, name), this.port(plugged, pluggedName));
  }

  /** The device of the switch that `name` of `host` is plugged into. */
  port(host: Host, name: string): string {
    const port = this.#ports.get(portKey(host, name));
    if (port === undefined) throw new Error(`${host.name}/${name} is not plugged in here`);
    return port;
  }

  /**
   * Pulls the cable: the host sees its interface lose carrier while it stays administratively up.
   */
  async cut(host: Host, name: string): Promise<void> {
    await this.host.ip(`link set ${this.port(host, name)} down`);
  }

  async restore(host: Host, name: string): Promise<void> {
    await this.host.ip(`link set ${this.port(host, name)} up`);
  }

  /**
   * Drops `percent` of the frames that leave towards `name` of `host` (the port stays up). 100 cuts
   * the cable without carrier loss; 0 ends it.
   */
  async lose(host: Host, name: string, percent: number): Promise<void> {
    await this.#lose('egress', this.port(host, name), percent);
  }

  /** The same for the frames that come from `name` of `host`. */
  async loseFrom(host: Host, name: string, percent: number): Promise<void> {
    await this.#lose('ingress', this.port(host, name), percent);
  }

  async #lose(hook: 'ingress' | 'egress', port: string, percent: number): Promise<void> {
    // A share is one of frames as a wire carries them, and not of the bundles that hosts hand to
    // each other.
    if (percent > 0 && percent < 100) {
      for (const { host, name } of this.#plugged) await sendFrames(host, name);
    }
    const table = `netdev loss_${hook}_${port}`;
    const chain = `chain c { type filter hook ${hook} device "${port}" priority 0; ${dropStatement(percent)}; };`;
    await this.host.nft(
      `table ${table} {}\ndelete table ${table}\n` +
        (percent <= 0 ? '' : `table ${table} { ${chain} }\n`),
    );
  }
}

/** Has the kernel cut what it would else hand over in one piece: UDP_SEGMENT, and TCP likewise. */
export async function sendFrames(host: Host, name: string): Promise<void> {
  await host.ip(`link set ${name} gso_max_segs 1`);
}

function portKey(host: Host, name: string): string {
  return `${host.name}/${name}`;
}
