/**
 * The whole way of docs/operations.md, «From the pair to two sealed keepstates», under one set of
 * connections: keepalived with conntrackd on both nodes, keepstate beside the other node's pair, two
 * keepstates without a key, `permissive` on both, `enforce`. In each state the role goes to the other
 * node or back.
 */
import { Cluster } from '../../support/daemon/cluster.js';
import { incumbent } from '../../support/daemon/clusterMembers.js';
import type { ClusterNode } from '../../support/daemon/clusterNode.js';
import { expectSurvival } from '../../support/daemon/clusterTraffic.js';
import {
  migrateNode,
  shareKey,
  useKey,
  type MigratedNode,
} from '../../support/daemon/migration.js';

jest.setTimeout(300_000);

const sealMagic = 0xe5;

test('from the pair to two sealed keepstates no connection is lost', async () => {
  const cluster = await Cluster.open<ClusterNode, ClusterNode>([incumbent, incumbent]);
  try {
    await cluster.dropInvalidInput();
    const traffic = await cluster.startTraffic();
    const replicated = (): Promise<void> => cluster.nodes[1].waitForReplica(traffic.flows);
    await replicated();

    // Steps 1 and 2: the BACKUP first; the stop of the other node's daemons gives it the role.
    const second = await migrateNode(cluster, 1);
    await cluster.waitForRoles();
    await replicated();
    const first = await migrateNode(cluster, 0);
    await cluster.waitForRoles();
    await replicated();
    const both = [first, second];
    await thereAndBack(cluster);
    await replicated();

    // Step 3: the key, and `permissive` on the BACKUP, then on the MASTER.
    await shareKey(first, second);
    await useKey(second, 'permissive');
    await replicated();
    await useKey(first, 'permissive');
    await Promise.all(both.map(peerIsSealed));
    await thereAndBack(cluster);
    await replicated();

    // Step 4.
    await useKey(second, 'enforce');
    await useKey(first, 'enforce');
    const capture = await second.node.host.capture('sync', { filter: 'udp' });
    await thereAndBack(cluster);
    await replicated();
    await Promise.all(both.map(peerIsSealed));
    const frames = await capture.waitForFrames(20);
    expect(frames.filter(({ bytes }) => bytes[14 + 20 + 8] !== sealMagic)).toEqual([]);

    expectSurvival(await traffic.finish(), traffic.amounts);
  } finally {
    await cluster.close();
  }
});

/** The role goes from fw1 to fw2 by a clean stop, and back by the return of the higher priority. */
async function thereAndBack(cluster: Cluster<ClusterNode, ClusterNode>): Promise<void> {
  const [first, second] = cluster.nodes;
  await first.stop();
  await second.waitForRole('MASTER');
  await first.start();
  await cluster.waitForRoles();
}

/** As `status` says it, and nothing is open any more. */
async function peerIsSealed({ node }: MigratedNode): Promise<void> {
  await node.daemon.waitForStatus(
    ({ sync, problems }) =>
      sync?.seal?.peerSealed === true &&
      sync.parity !== 'different' &&
      !problems.some(({ code }) => /^sync-(not-sealed|key-unknown)$/.test(code)),
    'the peer to have the key',
  );
}
