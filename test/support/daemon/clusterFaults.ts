/** What can befall the MASTER of a cluster, each with the way back to fw1 MASTER and fw2 BACKUP. */
import { sleep } from '../../lab/waitFor.js';
import type { Cluster } from './cluster.js';

export interface ClusterFault {
  readonly name: string;
  readonly happen: (cluster: Cluster) => Promise<void>;
}

export const clusterFaults: readonly ClusterFault[] = [
  {
    name: 'kill -9',
    happen: async (cluster) => {
      const [first, second] = cluster.nodes;
      await first.kill();
      await second.waitForRole('MASTER');
      await first.start();
      await cluster.waitForRoles();
    },
  },
  {
    name: 'power-off',
    happen: async (cluster) => {
      await cluster.powerOff(0);
      await cluster.nodes[1].waitForRole('MASTER');
      await cluster.powerOn(0);
      await cluster.waitForRoles();
    },
  },
  {
    name: 'clean stop',
    happen: async (cluster) => {
      const [first, second] = cluster.nodes;
      await first.stop();
      await second.waitForRole('MASTER');
      await first.start();
      await cluster.waitForRoles();
    },
  },
  { name: 'LAN link down', happen: (cluster) => linkDown(cluster, 'lan') },
  { name: 'WAN link down', happen: (cluster) => linkDown(cluster, 'wan') },
  {
    name: 'SIGSTOP for 5 s and SIGCONT',
    happen: async (cluster) => {
      const [first, second] = cluster.nodes;
      first.freeze();
      await second.waitForRole('MASTER');
      await sleep(1_500);
      first.thaw();
      await cluster.waitForRoles();
    },
  },
];

async function linkDown(cluster: Cluster, side: 'lan' | 'wan'): Promise<void> {
  const [first, second] = cluster.nodes;
  const bridge = cluster.pair[side];
  await bridge.cut(first.host, side);
  await second.waitForRole('MASTER');
  await first.waitForRole('FAULT');
  await bridge.restore(first.host, side);
  await cluster.waitForRoles();
}
