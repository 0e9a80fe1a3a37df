import { Cluster, type KeepstateCluster } from '../../support/daemon/cluster.js';
import { KeepstateClusterNode } from '../../support/daemon/clusterNode.js';
import { deployments } from '../../support/daemon/deployments.js';

jest.setTimeout(300_000);

/** Equivalents of configurations that people run, each with the ruleset that goes with it. */
describe('deployments as two-node clusters', () => {
  test.each(deployments)('$name: connections survive a crash and a return', async (deployment) => {
    const make = (host: KeepstateClusterNode['host'], index: 0 | 1): KeepstateClusterNode =>
      new KeepstateClusterNode(host, deployment.config(index));
    const cluster: KeepstateCluster = await Cluster.open([make, make], {
      bare: true,
      prepare: deployment.prepare,
    });
    try {
      const master = await cluster.findMaster();
      const other = master === 0 ? 1 : 0;
      await cluster.surviving(async () => {
        await cluster.powerOff(master);
        await cluster.nodes[other].waitForRole('MASTER');
        await cluster.powerOn(master);
        const returning = cluster.nodes[master];
        if (deployment.preempts) await cluster.waitForRoles(master);
        else await returning.waitForRole('BACKUP');
        await returning.waitForReplica(deployment.preempts ? 0 : 1);
      }, other);
      for (const { daemon } of cluster.nodes) {
        expect((await daemon.status()).sync?.parity).not.toBe('different');
      }
    } finally {
      await cluster.close();
    }
  });
});
