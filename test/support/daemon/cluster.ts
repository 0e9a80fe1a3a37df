/**
 * The firewall pair with a daemon on each side, traffic across it, and the faults that can befall
 * it.
 */
import { pairConfig, type PairConfigOptions } from './pairConfig.js';
import {
  firewallPair,
  pairAddresses,
  type FirewallPair,
  type FirewallPairOptions,
} from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { startServer } from '../../lab/traffic.js';
import { sleep, waitFor } from '../../lab/waitFor.js';
import { KeepstateClusterNode, type ClusterNode } from './clusterNode.js';
import {
  ClusterTraffic,
  expectSurvival,
  type ClusterTrafficReport,
  type TrafficAmounts,
} from './clusterTraffic.js';

export interface Observation {
  readonly report: ClusterTrafficReport;
  readonly amounts: TrafficAmounts;
  readonly flows: string;
}

export interface ClusterOptions extends FirewallPairOptions {
  /** Done on each firewall before its daemon is made. Whoever gives it waits for the roles. */
  readonly prepare?: (host: Host, index: 0 | 1) => Promise<void>;
}

type NodeMaker<Node extends ClusterNode> = (host: Host, index: 0 | 1) => Node;

export class Cluster<First extends ClusterNode = ClusterNode, Second extends ClusterNode = First> {
  readonly lab: Lab;
  readonly pair: FirewallPair;
  readonly nodes: [First, Second];

  private constructor(lab: Lab, pair: FirewallPair, nodes: [First, Second]) {
    this.lab = lab;
    this.pair = pair;
    this.nodes = nodes;
  }

  /** fw1 is MASTER and fw2 BACKUP when it resolves. */
  static async open<First extends ClusterNode, Second extends ClusterNode>(
    make: readonly [NodeMaker<First>, NodeMaker<Second>],
    options: ClusterOptions = {},
  ): Promise<Cluster<First, Second>> {
    const lab = await Lab.open();
    try {
      const pair = await firewallPair(lab, options);
      const [fw1, fw2] = pair.firewalls;
      await options.prepare?.(fw1, 0);
      await options.prepare?.(fw2, 1);
      const cluster = new Cluster(lab, pair, [make[0](fw1, 0), make[1](fw2, 1)]);
      await startServer(pair.server);
      await Promise.all(cluster.nodes.map((node) => node.start()));
      if (options.prepare === undefined) await cluster.waitForRoles();
      return cluster;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /**
   * What reaches a VIP without a flow is dropped instead of answered with a RST. keepalived raises
   * its VIPs before the flows are committed and needs this; keepstate's takeovers do not, so its
   * own clusters go without. A frozen node that wakes as MASTER beside another one does: nothing
   * could take its addresses away meanwhile.
   */
  async dropInvalidInput(): Promise<void> {
    for (const host of this.pair.firewalls) {
      await host.nft('add rule inet filter input ct state invalid drop\n');
    }
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  /** Which node has the role, where the priorities do not tell. */
  async findMaster(): Promise<0 | 1> {
    const found = this.nodes.map((node, i) => node.waitForRole('MASTER').then(() => i));
    const master = (await Promise.any(found)) === 0 ? 0 : 1;
    await this.waitForRoles(master);
    return master;
  }

  /** fw1 is MASTER, fw2 BACKUP; or the other way round. */
  async waitForRoles(master: 0 | 1 = 0): Promise<void> {
    await this.nodes[master].waitForRole('MASTER');
    await this.nodes[(1 - master) as 0 | 1].waitForRole('BACKUP');
  }

  async waitForVips(index: 0 | 1, vips: readonly string[]): Promise<void> {
    const host = this.pair.firewalls[index];
    for (const vip of vips) {
      await waitFor(() => host.hasAddress(vip), { description: `${vip} on ${host.name}` });
    }
  }

  startTraffic(): Promise<ClusterTraffic> {
    return ClusterTraffic.start(this.pair.client);
  }

  /**
   * Traffic across one accident: replicated before it, alive a moment after it, and judged then.
   */
  async surviving(
    accident: () => Promise<void>,
    replicatedAt: 0 | 1 = 1,
  ): Promise<ClusterTrafficReport> {
    const { report, amounts, flows } = await this.observing(accident, replicatedAt);
    try {
      expectSurvival(report, amounts);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`${text}\n${flows}\n${await this.#accounts()}`, { cause: error });
    }
    return report;
  }

  /** The same without judging. `flows` are both tables just before the end. */
  async observing(accident: () => Promise<void>, replicatedAt: 0 | 1 = 1): Promise<Observation> {
    const traffic = await this.startTraffic();
    await this.nodes[replicatedAt].waitForReplica(traffic.flows);
    await accident();
    await sleep(500);
    const flows = await this.#flowTables();
    return { report: await traffic.finish(), amounts: traffic.amounts, flows };
  }

  /** Both tables, for the message of a failure: they are gone or different when it is noticed. */
  async #flowTables(): Promise<string> {
    const tables = this.pair.firewalls.map(
      async (host) => `${host.name}:\n${await host.conntrack('-L', '-p', 'tcp')}`,
    );
    return (await Promise.all(tables)).join('\n');
  }

  /** What both daemons said and both rulesets dropped. */
  async #accounts(): Promise<string> {
    const accounts = this.nodes.map(async (node) => {
      const drops = await node.host.tryExec(['nft', 'list', 'chain', 'inet', 'filter', 'forward']);
      return `${node.host.name}:\n${drops.stdout}\n${node.log}`;
    });
    return (await Promise.all(accounts)).join('\n');
  }

  /** All cables dead and all programs killed at once. */
  async powerOff(index: 0 | 1): Promise<void> {
    await Promise.all([this.pair.unplug(index), this.nodes[index].kill()]);
  }

  /** What a machine that lost its power does not have when it comes back, and then its daemons. */
  async powerOn(index: 0 | 1): Promise<void> {
    await this.forget(index);
    await this.pair.replug(index);
    await this.nodes[index].start();
  }

  /** Removes VIPs and flows, as a reboot does. */
  async forget(index: 0 | 1): Promise<void> {
    const host = this.pair.firewalls[index];
    const { lanVip, wanVip } = pairAddresses;
    for (const [name, vip] of [
      ['lan', lanVip],
      ['wan', wanVip],
    ] as const) {
      await host.tryExec(['ip', 'address', 'del', `${vip}/24`, 'dev', name]);
    }
    await host.tryExec(['conntrack', '-F']);
  }
}

export type KeepstateCluster = Cluster<KeepstateClusterNode>;

/** Two keepstates with an instance on each side in a group, unless `config` says otherwise. */
export function keepstateCluster(
  config: Omit<PairConfigOptions, 'index'> = {},
  options: FirewallPairOptions = {},
): Promise<KeepstateCluster> {
  const make = (host: Host, index: 0 | 1): KeepstateClusterNode =>
    new KeepstateClusterNode(host, clusterConfig(index, config));
  return Cluster.open([make, make], options);
}

export function clusterConfig(index: 0 | 1, config: Omit<PairConfigOptions, 'index'> = {}): string {
  return pairConfig({ index, instances: 'group', modeLines: ['PurgeTimeout 5'], ...config });
}
