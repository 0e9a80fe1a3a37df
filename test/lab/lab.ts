/**
 * The namespace laboratory: hosts (network namespaces), cables (veth pairs) and bridges, all with a
 * unique prefix and all gone after `close()`. What a crashed run left behind is removed when the
 * next lab opens.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from './bridge.js';
import { run } from './command.js';
import { Host } from './host.js';
import { listNamespaces, removeNamespace, removeStaleLabs } from './namespaces.js';

/** One end of a cable. `addresses` are «address/prefix». */
export interface LinkEnd {
  readonly host: Host;
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly mac?: string;
}

export class Lab {
  /** `ks<pid>x<random>`: the pid tells whether the run that made it still lives. */
  readonly prefix: string;
  /** Scratch files of this lab; removed by `close`. */
  readonly directory: string;
  readonly #hosts = new Map<string, Host>();

  private constructor(prefix: string) {
    this.prefix = prefix;
    this.directory = mkdtempSync(join(tmpdir(), `${prefix}-`));
  }

  /** Needs root. Removes first what dead runs left. */
  static async open(): Promise<Lab> {
    if (process.getuid?.() !== 0) {
      throw new Error('the namespace laboratory needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN)');
    }
    await removeStaleLabs();
    const lab = new Lab(`ks${process.pid}x${randomBytes(2).toString('hex')}`);
    // ./check looks at its end whether any namespace of its labs is left.
    const record = process.env['KEEPSTATE_CHECK_LABS'];
    if (record !== undefined) appendFileSync(record, `${lab.prefix}\n`);
    return lab;
  }

  /** A fresh network namespace with loopback up and settings that suit tests (see README). */
  async host(name: string): Promise<Host> {
    const namespace = `${this.prefix}-${name}`;
    await run(['ip', 'netns', 'add', namespace]);
    const directory = join(this.directory, name);
    mkdirSync(directory, { recursive: true });
    const host = new Host(name, namespace, directory);
    this.#hosts.set(name, host);
    await host.ip('link set lo up');
    await host.sysctl({
      'net.ipv4.conf.all.rp_filter': 0,
      'net.ipv4.conf.default.rp_filter': 0,
      'net.ipv6.conf.all.disable_ipv6': 0,
      'net.ipv6.conf.default.disable_ipv6': 0,
      'net.ipv6.conf.all.accept_dad': 0,
      'net.ipv6.conf.default.accept_dad': 0,
      'net.ipv6.conf.default.router_solicitations': 0,
    });
    return host;
  }

  /** Several hosts at once, in the order of the names. */
  async hosts(...names: string[]): Promise<Host[]> {
    return Promise.all(names.map((name) => this.host(name)));
  }

  /** A cable between two hosts, both ends up. */
  async link(a: LinkEnd, b: LinkEnd): Promise<void> {
    await a.host.ip(`link add ${a.name} type veth peer name ${b.name} netns ${b.host.namespace}`);
    for (const end of [a, b]) {
      const mac = end.mac === undefined ? [] : [`link set ${end.name} address ${end.mac}`];
      await end.host.ip(...mac, `link set ${end.name} up`);
    }
    // Only now: an IPv6 address on a device that is down keeps it from getting its multicast route.
    for (const { host, name, addresses = [] } of [a, b]) {
      const commands = addresses.map((address) => addAddressCommand(address, name));
      if (commands.length > 0) await host.ip(...commands);
    }
  }

  /** A switch in a namespace of its own: forwards at once, floods multicast. */
  async bridge(name: string): Promise<Bridge> {
    const host = await this.host(name);
    await host.ip(
      'link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0',
      'link set br0 up',
    );
    return new Bridge(this, host);
  }

  /** Ends all processes in the hosts, removes the namespaces and the scratch files. */
  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.stopAll()));
    for (const host of this.#hosts.values()) await removeNamespace(host.namespace);
    this.#hosts.clear();
    rmSync(this.directory, { recursive: true, force: true });
    const left = (await listNamespaces()).filter((name) => name.startsWith(this.prefix));
    if (left.length > 0) throw new Error(`namespaces left behind: ${left.join(' ')}`);
  }
}

export function addAddressCommand(address: string, device: string): string {
  return `address add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`;
}
