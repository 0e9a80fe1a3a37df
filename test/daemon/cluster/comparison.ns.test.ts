import { keepstateCluster, type Cluster } from '../../support/daemon/cluster.js';
import { clusterFaults, type ClusterFault } from '../../support/daemon/clusterFaults.js';
import { incumbentCluster } from '../../support/daemon/clusterMembers.js';
import { expectSurvival } from '../../support/daemon/clusterTraffic.js';
import { TakeoverTime } from '../../support/daemon/takeoverTime.js';

jest.setTimeout(1_200_000);

/** One fault by default; every fault in the full run. */
const faults =
  process.env['KEEPSTATE_FULL'] === '1'
    ? clusterFaults
    : clusterFaults.filter(({ name }) => name === 'clean stop');

/**
 * Both pairs drop what reaches a VIP without a flow: without that rule the incumbents' takeover
 * resets connections.
 */
describe('the same faults for keepstate and for keepalived with conntrackd', () => {
  test('outages and survivors side by side; all of keepstate survive', async () => {
    const keepstate = await keepstateCluster();
    const incumbent = await incumbentCluster();
    const columns = ['outage', 'takeover', 'survivors'];
    const rows = [row('', 'keepstate', '', '', 'pair'), row('fault', ...columns, ...columns)];
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
    expect(rows).toHaveLength(faults.length + 2);
  });
});

/** Takeover: from the fault until the other node has both addresses. */
async function figures(
  cluster: Cluster,
  fault: ClusterFault,
  mustSurvive: boolean,
): Promise<readonly [string, string, string]> {
  const takeover = new TakeoverTime(cluster.nodes[1].host);
  let since = 0;
  const { report, amounts } = await cluster.observing(() => {
    since = Date.now();
    return fault.happen(cluster);
  });
  const took = await takeover.end(since);
  if (mustSurvive) expectSurvival(report, amounts);
  const { udp, active, idle, up, down } = report;
  const survivors = active.survivors + idle.survivors + up.whole + down.whole;
  const all = amounts.active + amounts.idle + 2 * amounts.bulk;
  return [
    `${udp.longestSilenceMilliseconds} ms`,
    took === undefined ? 'none' : `${took} ms`,
    `${survivors} of ${all}`,
  ];
}

function row(...cells: readonly string[]): string {
  return cells.map((cell, i) => cell.padEnd(i === 0 ? 28 : 11)).join(' ');
}
