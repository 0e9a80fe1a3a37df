import { Cluster } from '../../support/daemon/cluster.js';
import { incumbent, keepstate } from '../../support/daemon/clusterMembers.js';
import type { ClusterNode } from '../../support/daemon/clusterNode.js';
import { expectSurvival } from '../../support/daemon/clusterTraffic.js';

jest.setTimeout(600_000);

/** The role goes from fw1 to fw2 by a clean stop, and back by the return of the higher priority. */
async function thereAndBack(cluster: Cluster): Promise<void> {
  const [first, second] = cluster.nodes;
  await first.stop();
  await second.waitForRole('MASTER');
  await first.start();
  await cluster.waitForRoles();
}

describe('a cluster of keepstate on one node and keepalived with conntrackd on the other', () => {
  test.each([
    ['keepstate is the stronger', [keepstate, incumbent]],
    ['keepstate is the weaker', [incumbent, keepstate]],
  ] as const)('both roles each way: %s', async (_name, make) => {
    const cluster = await Cluster.open<ClusterNode, ClusterNode>(make);
    try {
      await cluster.dropInvalidInput();
      await cluster.surviving(() => thereAndBack(cluster));
      await cluster.surviving(async () => {
        await cluster.powerOff(0);
        await cluster.nodes[1].waitForRole('MASTER');
        await cluster.powerOn(0);
        await cluster.waitForRoles();
      });
    } finally {
      await cluster.close();
    }
  });

  test('a pair of keepstate goes back node by node, under one set of connections', async () => {
    const cluster = await Cluster.open<ClusterNode, ClusterNode>([keepstate, keepstate]);
    try {
      await cluster.dropInvalidInput();
      const traffic = await cluster.startTraffic();
      await cluster.nodes[1].waitForReplica(traffic.flows);
      // The BACKUP first, as docs/operations.md says.
      await goBack(cluster, 1);
      await cluster.waitForRoles();
      await cluster.nodes[1].waitForReplica(traffic.flows);
      await goBack(cluster, 0);
      await cluster.waitForRoles();
      await cluster.nodes[1].waitForReplica(traffic.flows);
      await thereAndBack(cluster);
      expectSurvival(await traffic.finish(), traffic.amounts);
    } finally {
      await cluster.close();
    }
  });
});

/** Stops keepstate on the node and starts the two daemons with the files that they had before. */
async function goBack(cluster: Cluster, index: 0 | 1): Promise<void> {
  await cluster.nodes[index].stop();
  cluster.nodes[index] = incumbent(cluster.pair.firewalls[index], index);
  await cluster.nodes[index].start();
}
