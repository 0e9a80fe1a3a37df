import { keepstateCluster, type Cluster } from '../support/cluster.js';
import { clusterFaults, type ClusterFault } from '../support/clusterFaults.js';
import { incumbentCluster } from '../support/clusterMembers.js';
import { expectSurvival } from '../support/clusterTraffic.js';

jest.setTimeout(1_200_000);

/** One fault by default; every fault in the full run. */
const faults =
  process.env['KEEPSTATE_FULL'] === '1'
    ? clusterFaults
    : clusterFaults.filter(({ name }) => name === 'clean stop');

/** Both pairs drop what reaches a VIP without a flow: without that rule the incumbents' takeover resets connections. */
describe('the same faults for keepstate and for keepalived with conntrackd', () => {
  test('outages and survivors side by side; all of keepstate survive', async () => {
    const keepstate = await keepstateCluster();
    const incumbent = await incumbentCluster();
    const rows = [row('fault', 'keepstate: outage', 'survivors', 'pair: outage', 'survivors')];
    try {
      for (const cluster of [keepstate, incumbent]) await cluster.dropInvalidInput();
      for (const fault of faults) {
        const ours = await figures(keepstate, fault, true);
        const theirs = await figures(incumbent, fault, false);
        rows.push(row(fault.name, ...ours, ...theirs));
      }
    } finally {
      await Promise.all([keepstate.close(), incumbent.close()]);
      process.stderr.write(`${rows.join('\n')}\n`);
    }
    expect(rows).toHaveLength(faults.length + 1);
  });
});

async function figures(
  cluster: Cluster,
  fault: ClusterFault,
  mustSurvive: boolean,
): Promise<readonly [string, string]> {
  const { report, amounts } = await cluster.observing(() => fault.happen(cluster));
  if (mustSurvive) expectSurvival(report, amounts);
  const { udp, active, idle, up, down } = report;
  const survivors = active.survivors + idle.survivors + up.whole + down.whole;
  const all = amounts.active + amounts.idle + 2 * amounts.bulk;
  return [`${udp.longestSilenceMilliseconds} ms`, `${survivors} of ${all}`];
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(i === 0 ? 30 : 18)).join(' ');
}
