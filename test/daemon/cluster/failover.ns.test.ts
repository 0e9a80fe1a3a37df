import { clusterFaults } from '../../support/daemon/clusterFaults.js';
import {
  clusterConfig,
  keepstateCluster,
  type KeepstateCluster,
} from '../../support/daemon/cluster.js';
import type { ClusterTrafficReport } from '../../support/daemon/clusterTraffic.js';

jest.setTimeout(600_000);

const handOvers = process.env['KEEPSTATE_FULL'] === '1' ? 20 : 4;

describe('connections of every kind survive', () => {
  let cluster: KeepstateCluster;
  const outages: string[] = [];

  beforeAll(async () => {
    cluster = await keepstateCluster();
  });

  afterAll(async () => {
    process.stderr.write(`longest silence of a probe each 5 ms:\n${outages.join('\n')}\n`);
    await cluster.close();
  });

  const note = (name: string, { udp }: ClusterTrafficReport): void => {
    outages.push(`  ${name.padEnd(40)} ${udp.longestSilenceMilliseconds} ms`);
  };

  test.each(clusterFaults)('$name of the master, and its return', async ({ name, happen }) => {
    note(name, await cluster.surviving(() => happen(cluster)));
  });

  test('the sync link is cut: nothing moves, status says so, and parity returns with the link', async () => {
    const [{ daemon: first }, { daemon: second }] = cluster.nodes;
    const lives = async (): Promise<readonly number[]> => [
      (await first.history()).length,
      (await second.history()).length,
    ];
    const before = await lives();
    const report = await cluster.surviving(async () => {
      await cluster.pair.sync.cut(first.host, 'sync');
      const lost = await first.waitForStatus(
        (one) => one.problems.some(({ code }) => code.startsWith('sync-')),
        'the sync link to be missed',
      );
      expect(lost.role).toBe('MASTER');
      await second.waitForAdverts(2, ['LAN', 'WAN']);
      await cluster.pair.sync.restore(first.host, 'sync');
      await first.waitForStatus((one) => one.sync?.parity === 'equal', 'parity again');
    });
    expect(await lives()).toEqual(before);
    note('sync link down', report);
  });

  test('with nopreempt the returning node stays BACKUP until the role is handed to it', async () => {
    const [first, second] = cluster.nodes;
    for (const [i, { daemon }] of cluster.nodes.entries()) {
      daemon.writeConfig(clusterConfig(i === 0 ? 0 : 1, { instanceLines: ['nopreempt'] }));
      expect(await daemon.ask({ verb: 'reload' })).toMatchObject({ kind: 'answer' });
    }
    const report = await cluster.surviving(async () => {
      await first.kill();
      await second.waitForRole('MASTER');
      await first.start();
      await first.waitForRole('BACKUP');
      await first.daemon.waitForStatus((one) => one.sync?.parity === 'equal', 'parity');
      // Longer than it would have waited before it preempted.
      await first.daemon.waitForAdverts(5, ['LAN', 'WAN']);
      await cluster.waitForRoles(1);
      await handOver(cluster, 1);
    });
    note('kill -9, nopreempt, failover back', report);
  });

  test(`the role is handed over ${handOvers} times`, async () => {
    const report = await cluster.surviving(async () => {
      for (let round = 0; round < handOvers; round++)
        await handOver(cluster, round % 2 === 0 ? 0 : 1);
    });
    note(`${handOvers} hand-overs`, report);
  });
});

async function handOver(cluster: KeepstateCluster, from: 0 | 1): Promise<void> {
  const { daemon } = cluster.nodes[from];
  await daemon.waitForStatus((one) => one.sync?.state === 'synchronised', 'a synchronised peer');
  expect(await daemon.ask({ verb: 'failover', force: false })).toMatchObject({ kind: 'answer' });
  await cluster.waitForRoles(from === 0 ? 1 : 0);
}
