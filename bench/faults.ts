/**
 * The faults of test/support/daemon/clusterFaults.ts, each with its way back, beside keepalived
 * 2.2.7 with conntrackd 1.4.7 on the same network and ruleset: how long a UDP probe sent every 5 ms
 * was silent, and how many connections were lost. Both pairs drop INVALID on input: without that
 * the takeover of the incumbents, addresses first, resets connections.
 */
import { keepstateCluster, type Cluster } from '../test/support/daemon/cluster.js';
import { clusterFaults, type ClusterFault } from '../test/support/daemon/clusterFaults.js';
import { incumbentCluster } from '../test/support/daemon/clusterMembers.js';
import { sleep } from '../test/lab/waitFor.js';
import type { Benchmark, Figures } from './framework.js';
import { requireBuild } from './syncPair.js';

const faults: readonly ClusterFault[] = [
  ...clusterFaults,
  {
    name: 'kill -9 and restart after 1 s',
    happen: async (cluster) => {
      const [first] = cluster.nodes;
      await first.kill();
      await sleep(1_000);
      await first.start();
      await cluster.waitForRoles();
    },
  },
  {
    name: 'sync link down for 2 s',
    happen: async (cluster) => {
      const [{ host }] = cluster.nodes;
      await cluster.pair.sync.cut(host, 'sync');
      await sleep(2_000);
      await cluster.pair.sync.restore(host, 'sync');
      await cluster.waitForRoles();
    },
  },
];

export function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  return Promise.resolve({ benchmarks: [allFaults()], close: () => Promise.resolve() });
}

function allFaults(): Benchmark {
  const candidate = 'keepstate';
  return {
    name: 'failover-faults',
    description:
      'outage and lost connections per fault of the master and its return, VRRPv2 at 1 s',
    candidates: [
      { name: candidate, run: () => suffer(() => keepstateCluster()) },
      { name: 'keepalived and conntrackd', run: () => suffer(incumbentCluster) },
    ],
    comparisons: faults.map(({ name }) => ({ figure: lostFigure(name), candidate, atMost: 0 })),
  };
}

/** One cluster for all faults, one after the other. */
async function suffer(open: () => Promise<Cluster>): Promise<Figures> {
  const cluster = await open();
  const figures: Record<string, number> = {};
  try {
    await cluster.dropInvalidInput();
    for (const { name, happen } of faults) {
      process.stderr.write(`  ${name}\n`);
      const { report, amounts } = await cluster.observing(() => happen(cluster));
      const { udp, active, idle, up, down } = report;
      const all = amounts.active + amounts.idle + 2 * amounts.bulk;
      const alive = active.survivors + idle.survivors + up.whole + down.whole;
      figures[`${camelCase(name)}OutageMilliseconds`] = udp.longestSilenceMilliseconds;
      figures[lostFigure(name)] = all - alive;
    }
  } finally {
    await cluster.close();
  }
  return figures;
}

function lostFigure(fault: string): string {
  return `${camelCase(fault)}ConnectionsLost`;
}

/** `kill -9 and restart` becomes `kill9AndRestart`. */
function camelCase(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((one) => one !== '');
  return words
    .map((word, i) => {
      const first = word[0] ?? '';
      return (i === 0 ? first.toLowerCase() : first.toUpperCase()) + word.slice(1).toLowerCase();
    })
    .join('');
}
