/**
 * Takeovers beside keepalived 2.2.7 with conntrackd 1.4.7 and its usual notify script, on the
 * firewall pair with 10,000 translated flows and live traffic; a hand-over; a commit of 1,000,000
 * flows under adverts at a tenth of a second; a start with 100,000 flows in the kernel. Outage is
 * the longest time without an echo of a UDP probe sent every 5 ms, as a capture at the client sees
 * it.
 */
import type { Capture, CapturedFrame } from '../test/lab/capture.js';
import { pairConfig } from '../test/support/daemon/pairConfig.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../test/lab/firewallPair.js';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../test/lab/traffic.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import { IncumbentNode, type ClusterNode } from '../test/support/daemon/clusterNode.js';
import type { Benchmark, Figures } from './framework.js';
import { compile, load, putFirst, raiseConntrackMax, waitForFreedFlows } from './measure.js';
import {
  Keepstate,
  nodeConfig,
  requireBuild,
  startKeepstate,
  syncHosts,
  type PairOptions,
} from './syncPair.js';

const translatedFlows = 10_000;
const connections = 50;
const startFlows = 100_000;
const millionFlows = 1_000_000;
/** Priority 100, 1 s, VRRPv2: 3 + (256 - 100) / 256 seconds. */
const masterDownMilliseconds = 3_609.375;

export function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const benchmarks = [takeovers(), handOver(), million(), start()];
  return Promise.resolve({ benchmarks, close: () => Promise.resolve() });
}

/** What a takeover asks of a node; IncumbentNode has it too. */
type BenchNode = Pick<ClusterNode, 'start' | 'stop' | 'kill' | 'waitForRole' | 'waitForReplica'>;

/** The two firewalls under either program, with what the benchmark asks of them. */
interface Cluster<Node extends BenchNode = BenchNode> {
  readonly pair: FirewallPair;
  readonly nodes: readonly [Node, Node];
}

class InstalledKeepstate implements BenchNode {
  readonly host: Host;
  readonly #config: string;
  #daemon: Keepstate | undefined;

  constructor(host: Host, config: string) {
    this.host = host;
    this.#config = config.replaceAll('@DIRECTORY@', host.directory);
  }

  get daemon(): Keepstate {
    if (this.#daemon === undefined) throw new Error('not started');
    return this.#daemon;
  }

  async start(): Promise<void> {
    // The incumbent's files may be there; ours lie beside them.
    this.#daemon = await Keepstate.start(this.host, this.#config, `${this.host.directory}/`);
  }

  stop(): Promise<void> {
    return this.daemon.stop();
  }

  async kill(): Promise<void> {
    await this.daemon.process.kill();
  }

  async waitForRole(role: 'MASTER' | 'BACKUP' | 'FAULT'): Promise<void> {
    await waitFor(
      async () => {
        const status = await this.daemon.status();
        return status.role === role && status.phase === 'steady';
      },
      { description: `${this.host.name} to be ${role}`, timeout: 60_000 },
    );
  }

  async waitForReplica(flows: number): Promise<void> {
    await waitFor(async () => (await this.daemon.externalEntries()) >= flows, {
      description: `${flows} flows at ${this.host.name}`,
      timeout: 60_000,
    });
  }
}

/**
 * Before ordinary programs: what conntrackd 1.4.7 does without being asked, asked of both; but
 * behind client and server.
 */
const priorities = {
  globalLines: ['vrrp_priority -20'],
  generalLines: ['Scheduler {', 'Type RR', 'Priority 50', '}'],
};

function plainNode(host: Host, index: 0 | 1): InstalledKeepstate {
  return new InstalledKeepstate(host, pairConfig({ index }));
}

function keepstateNode(host: Host, index: 0 | 1): InstalledKeepstate {
  return new InstalledKeepstate(host, pairConfig({ index, ...priorities }));
}

function incumbentNode(host: Host, index: 0 | 1): IncumbentNode {
  const notify = ['master', 'backup', 'fault'].map((state) => {
    const verb = state === 'master' ? 'primary' : state;
    return `notify_${state} "@SCRIPT@ ${verb}" root`;
  });
  const both = pairConfig({ index, instanceLines: notify, ...priorities });
  const sync = both.indexOf('\nSync {');
  // What only keepstate knows is left out.
  const keepalived = both
    .slice(0, sync)
    .replaceAll(/^.*(node_name|state_directory|control_socket).*$/gm, '');
  return new IncumbentNode(host, {
    keepalived,
    conntrackd: both.slice(sync),
    instance: 'GATEWAY',
  });
}

async function withCluster<Node extends BenchNode>(
  make: (host: Host, index: 0 | 1) => Node,
  work: (cluster: Cluster<Node>) => Promise<Figures>,
): Promise<Figures> {
  const lab = await Lab.open();
  try {
    const pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    for (const host of pair.firewalls) {
      await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
    }
    const nodes = [make(fw1, 0), make(fw2, 1)] as const;
    await putFirst((await startServer(pair.server)).pid);
    await Promise.all(nodes.map((node) => node.start()));
    await roles({ pair, nodes });
    const args = [String(translatedFlows), '--nat', pairAddresses.wanVip, '--keep'];
    const injector = fw1.startTypescript('test/support/conntrack/injectFlows.ts', args);
    await injector.exited();
    await nodes[1].waitForReplica(translatedFlows);
    return await work({ pair, nodes });
  } finally {
    await lab.close();
  }
}

async function roles({ nodes }: Cluster): Promise<void> {
  await nodes[0].waitForRole('MASTER');
  await nodes[1].waitForRole('BACKUP');
}

function takeovers(): Benchmark {
  const measure = async (cluster: Cluster): Promise<Figures> => {
    const { pair, nodes } = cluster;
    const stop = await outage(cluster, () => nodes[0].stop());
    await nodes[1].waitForRole('MASTER');
    await nodes[0].start();
    await roles(cluster);
    await nodes[1].waitForReplica(translatedFlows);
    const power = await outage(cluster, async () => {
      await Promise.all([pair.unplug(0), nodes[0].kill()]);
    });
    return {
      cleanStopOutageMilliseconds: stop.outage,
      cleanStopConnectionsLost: connections - stop.survivors,
      powerOffOutageMilliseconds: power.outage,
      powerOffBeyondMasterDownMilliseconds: power.sinceAdvert - masterDownMilliseconds,
      powerOffConnectionsLost: connections - power.survivors,
    };
  };
  const candidate = 'keepstate';
  const against = 'keepalived and conntrackd';
  return {
    name: 'failover',
    description: `${translatedFlows} SNAT flows and ${connections} live connections, VRRPv2 at 1 s`,
    candidates: [
      { name: candidate, run: () => withCluster(keepstateNode, measure) },
      { name: against, run: () => withCluster(incumbentNode, measure) },
    ],
    comparisons: [
      { figure: 'powerOffBeyondMasterDownMilliseconds', candidate, atMost: 60 },
      { figure: 'powerOffConnectionsLost', candidate, atMost: 0 },
      { figure: 'cleanStopOutageMilliseconds', candidate, against, atMost: 1 },
      { figure: 'cleanStopConnectionsLost', candidate, atMost: 0 },
    ],
  };
}

interface Outage {
  /** The longest time between two echoes, milliseconds. */
  readonly outage: number;
  /**
   * From the last advert of the first firewall to the first echo after the outage, milliseconds.
   */
  readonly sinceAdvert: number;
  /** Connections that lost nothing. */
  readonly survivors: number;
}

/** Traffic across one accident to the first firewall; ends with the second as MASTER. */
async function outage({ pair, nodes }: Cluster, accident: () => Promise<void>): Promise<Outage> {
  const { server } = pairAddresses;
  const tcp = await startTcp(pair.client, { server, count: connections });
  const probe = await startUdpProbe(pair.client, server);
  for (const { process } of [tcp, probe]) await putFirst(process.pid);
  await nodes[1].waitForReplica(translatedFlows + connections);
  const echoes = await pair.client.capture('eth0', {
    filter: `udp and src host ${server}`,
    direction: 'in',
  });
  const adverts = await pair.firewalls[1].capture('lan', {
    filter: `proto 112 and src host ${pairAddresses.lan[0]}`,
    direction: 'in',
  });
  // At least one advert is heard.
  await sleep(1_500);
  await accident();
  await nodes[1].waitForRole('MASTER');
  await sleep(1_500);
  await probe.finish();
  const { survivors } = await tcp.finish();
  const gap = longestGap(await echoes.stop());
  const heard = (await adverts.stop()).filter(({ time }) => time < gap.to).at(-1)?.time ?? NaN;
  return { outage: (gap.to - gap.from) * 1_000, sinceAdvert: (gap.to - heard) * 1_000, survivors };
}

function longestGap(frames: readonly CapturedFrame[]): { from: number; to: number } {
  let longest = { from: NaN, to: NaN };
  for (let i = 1; i < frames.length; i++) {
    const gap = { from: frames[i - 1]!.time, to: frames[i]!.time };
    if (!(gap.to - gap.from <= longest.to - longest.from)) longest = gap;
  }
  return longest;
}

function handOver(): Benchmark {
  const candidate = 'keepstate';
  const measure = async ({ pair, nodes }: Cluster<InstalledKeepstate>): Promise<Figures> => {
    const from = nodes[0];
    await waitFor(async () => (await from.daemon.status()).sync?.state === 'synchronised');
    const probe = await startUdpProbe(pair.client, pairAddresses.server);
    await putFirst(probe.process.pid);
    const capture: Capture = await pair.firewalls[0].capture('lan', {
      filter: `proto 112 and src host ${pairAddresses.lan[1]}`,
      direction: 'in',
    });
    await sleep(500);
    const asked = Date.now();
    await from.daemon.ask({ verb: 'failover', force: false });
    const [advert] = await capture.waitForFrames(1);
    await nodes[1].waitForRole('MASTER');
    const { sync } = await nodes[1].daemon.status();
    await sleep(500);
    const { longestSilenceMilliseconds } = await probe.finish();
    await capture.stop();
    return {
      roleMovedMilliseconds: advert!.time * 1_000 - asked,
      commitMilliseconds: sync?.lastCommit?.durationMs ?? NaN,
      outageMilliseconds: longestSilenceMilliseconds,
    };
  };
  return {
    name: 'failover-planned',
    description: `keepstate failover with ${translatedFlows} SNAT flows: until the peer's first advert as MASTER`,
    candidates: [{ name: candidate, run: () => withCluster(plainNode, measure) }],
    comparisons: [{ figure: 'roleMovedMilliseconds', candidate, atMost: 100 }],
  };
}

const large: PairOptions = { buffer: 64 << 20, maxGrowth: 256 << 20, hashLimit: 2_097_152 };

function million(): Benchmark {
  const candidate = 'keepstate';
  const options: PairOptions = { ...large, advertSeconds: 0.1 };
  const run = async (): Promise<Figures> => {
    await waitForFreedFlows();
    const lab = await Lab.open();
    const restore = await raiseConntrackMax(2 * millionFlows + 100_000);
    try {
      const hosts = await syncHosts(lab);
      const program = await compile(lab, 'load');
      const sender = await startKeepstate(hosts, 0, options);
      const receiver = await startKeepstate(hosts, 1, options);
      await load(hosts[0], program, { flows: millionFlows, rate: 80_000 });
      await waitFor(async () => (await receiver.externalEntries()) >= millionFlows, {
        timeout: 120_000,
        interval: 500,
        description: `${millionFlows} flows at the peer`,
      });
      const capture = await hosts[1].capture('sync', { filter: 'proto 112', direction: 'out' });
      // A silence under load may have begun a commit in advance, which was taken back.
      const before = (await receiver.status()).sync?.lastCommit?.at;
      await sender.process.kill();
      const { sync } = await waitFor(
        async () => {
          const status = await receiver.status();
          const commit = status.sync?.lastCommit;
          const isDone =
            status.role === 'MASTER' &&
            commit !== undefined &&
            commit.at !== before &&
            status.sync?.commitInProgress === false;
          return isDone ? status : undefined;
        },
        { timeout: 120_000, interval: 1_000, description: 'the commit' },
      );
      await sleep(1_000);
      const adverts = await capture.stop();
      const gaps = adverts.slice(1).map(({ time }, i) => (time - adverts[i]!.time) * 1_000 - 100);
      const { entries, failed, durationMs } = sync!.lastCommit!;
      return {
        entries,
        failed,
        commitMilliseconds: durationMs,
        flowsPerSecond: entries / (durationMs / 1_000),
        adverts: adverts.length,
        latestAdvertMilliseconds: Math.max(0, ...gaps),
      };
    } finally {
      await lab.close();
      await restore();
    }
  };
  return {
    name: 'failover-million',
    description: `the master dies, its peer commits ${millionFlows} flows and sends adverts every 100 ms`,
    candidates: [{ name: candidate, run }],
    comparisons: [
      { figure: 'latestAdvertMilliseconds', candidate, atMost: 50 },
      { figure: 'entries', candidate, atLeast: millionFlows },
    ],
  };
}

function start(): Benchmark {
  const candidate = 'keepstate';
  const run = async (): Promise<Figures> => {
    const lab = await Lab.open();
    try {
      const hosts = await syncHosts(lab);
      const program = await compile(lab, 'load');
      await load(hosts[0], program, { flows: startFlows, rate: 0 });
      const capture = await hosts[0].capture('sync', { filter: 'proto 112', direction: 'out' });
      const directory = hosts[0].path('keepstate');
      await hosts[0].exec(['mkdir', '-p', directory]);
      const config = nodeConfig(0, directory, large)
        .replace('priority 150', 'priority 255')
        .replace('state BACKUP', 'state MASTER');
      const started = Date.now();
      const node = Keepstate.spawn(hosts[0], config, directory);
      await waitFor(async () => (await node.internalEntries()) >= startFlows, {
        interval: 50,
        description: 'the table to fill',
      });
      const filled = Date.now() - started;
      const [advert] = await capture.waitForFrames(1, { timeout: 10_000 });
      await node.stop();
      return {
        tableFilledMilliseconds: filled,
        firstAdvertMilliseconds: advert!.time * 1_000 - started,
      };
    } finally {
      await lab.close();
    }
  };
  return {
    name: 'start',
    description: `from the command to the first advert (priority 255) and to a table of ${startFlows} flows`,
    candidates: [{ name: candidate, run }],
    comparisons: ['tableFilledMilliseconds', 'firstAdvertMilliseconds'].map((figure) => ({
      figure,
      candidate,
      atMost: 1_500,
    })),
  };
}
