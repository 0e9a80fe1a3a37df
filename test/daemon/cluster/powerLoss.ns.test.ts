import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

describe('two nodes from one file each', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0 })),
      new KeepstateNode(fw2, pairConfig({ index: 1 })),
    ];
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
  });

  afterAll(async () => {
    await lab.close();
  });

  test('the master is powered off and SNATed connections go on through the other', async () => {
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 20 });
    const udp = await startUdpProbe(pair.client, pairAddresses.server);
    await nodes[1].waitForStatus(
      (status) => (status.sync?.external.entries ?? 0) >= 21,
      'the flows to be replicated',
    );

    await Promise.all([pair.unplug(0), nodes[0].process.kill()]);
    await nodes[1].waitForRole('MASTER');
    const status = await nodes[1].waitForStatus(
      (one) => one.sync?.lastCommit !== undefined,
      'the commit to be shown',
    );
    expect(status.sync?.lastCommit?.entries).toBeGreaterThanOrEqual(21);
    expect(status.sync?.lastCommit?.failed).toBe(0);

    const report = await tcp.finish();
    expect(report).toMatchObject({ connections: 20, survivors: 20, resets: 0, mismatches: 0 });
    expect((await udp.finish()).received).toBeGreaterThan(0);

    const entry = (await nodes[1].history()).filter((one) => one.to === 'MASTER').at(-1);
    expect(entry?.flowsCommitted).toBeGreaterThanOrEqual(21);
    expect(entry?.takeoverMs).toBeGreaterThan(0);
  });

  test('status names the role on both when the first is back', async () => {
    await pair.replug(0);
    // The addresses of the node that lost its power are gone with it.
    for (const vip of [
      `${pairAddresses.lanVip}/24 dev lan`,
      `${pairAddresses.wanVip}/24 dev wan`,
    ]) {
      await pair.firewalls[0].tryExec(['ip', 'address', 'del', ...vip.split(' ')]);
    }
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER', { timeout: 60_000 });
    await nodes[1].waitForRole('BACKUP');
    const one = await nodes[0].cli('status', '--json');
    const other = await nodes[1].cli('status', '--json');
    expect(JSON.parse(one.stdout)).toMatchObject({ role: 'MASTER' });
    expect(JSON.parse(other.stdout)).toMatchObject({ role: 'BACKUP' });
  });
});
