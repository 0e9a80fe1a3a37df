import { firewallPair, pairAddresses, type FirewallPair } from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../lab/traffic.js';
import { keepstateCommand } from '../lab/keepstateProgram.js';
import { waitFor } from '../lab/waitFor.js';
import { KeepstateNode } from './keepstateNode.js';
import { pairConfig } from './pairConfig.js';

jest.setTimeout(300_000);

describe('crashes', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      // Three adverts of 2 s: the restart below comes well within the peer's patience.
      new KeepstateNode(fw1, pairConfig({ index: 0, advertSeconds: 2 })),
      new KeepstateNode(fw2, pairConfig({ index: 1, advertSeconds: 2 })),
    ];
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start('test/daemon/killableWorker.cjs')));
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
  });

  afterAll(async () => {
    await lab.close();
  });

  test('the worker dies: VIPs stay, status says so, and parity returns', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 10 });
    await waitForSameFlows(nodes, 10);
    const before = (await nodes[0].status()).since;
    nodes[0].process.signal('SIGWINCH');
    const down = await nodes[0].waitForStatus((one) => one.sync?.state === 'down', 'sync down');
    expect(down.role).toBe('MASTER');
    expect(down.problems.map((problem) => problem.code)).toContain('sync-down');
    expect(await pair.firewalls[0].hasAddress(pairAddresses.wanVip)).toBe(true);
    const back = await nodes[0].waitForStatus(
      (one) => one.sync?.state === 'synchronised',
      'the engine to be back',
    );
    await waitForSameFlows(nodes, 10);
    expect(back.sync?.worker.restarts).toBe(1);
    expect(back.since).toBe(before);
    expect(await tcp.finish()).toMatchObject({ survivors: 10, resets: 0 });
  });

  test('killed and started again within the patience of the peer: the role never moves', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 10 });
    const udp = await startUdpProbe(pair.client, pairAddresses.server);
    const transitions = (await nodes[1].history()).length;
    await nodes[0].process.kill();
    await nodes[0].start('test/daemon/killableWorker.cjs');
    const status = await nodes[0].waitForRole('MASTER');
    expect(status.reason).toContain('resume');
    await waitForSameFlows(nodes, 10);
    expect((await nodes[1].history()).length).toBe(transitions);
    expect(await tcp.finish()).toMatchObject({ survivors: 10, resets: 0 });
    // Forwarding is the kernel's: it does not need the daemon.
    expect((await udp.finish()).longestSilenceMilliseconds).toBeLessThan(1_000);
  });

  test('started again too late: the VIPs left behind are removed, and the other keeps the role', async () => {
    await nodes[0].process.kill();
    await nodes[1].waitForRole('MASTER');
    expect(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)).toBe(true);
    nodes[0].writeConfig(pairConfig({ index: 0, advertSeconds: 2, instanceLines: ['nopreempt'] }));
    await nodes[0].start();
    await nodes[0].waitForRole('BACKUP');
    await waitFor(async () => !(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)), {
      description: 'the leftover VIP to go',
    });
    expect((await nodes[1].status()).role).toBe('MASTER');
  });

  test('release removes what a crash left, and touches nothing while a daemon runs', async () => {
    const running = await nodes[1].host.tryExec(releaseCommand(nodes[1]));
    expect(running.exitCode).toBe(1);
    expect(running.stdout).toContain('nothing was removed');
    await nodes[1].process.kill();
    expect(await pair.firewalls[1].hasAddress(pairAddresses.lanVip)).toBe(true);
    const released = await nodes[1].host.tryExec(releaseCommand(nodes[1]));
    expect(released.stdout).toContain(`removed ${pairAddresses.lanVip}/24 on lan`);
    expect(released.exitCode).toBe(0);
    expect(await pair.firewalls[1].hasAddress(pairAddresses.lanVip)).toBe(false);
  });
});

/** The peer's external table holds what the master's internal one does. */
async function waitForSameFlows(
  [master, backup]: readonly [KeepstateNode, KeepstateNode],
  least: number,
): Promise<void> {
  await waitFor(
    async () => {
      const [one, other] = await Promise.all([master.status(), backup.status()]);
      const entries = one.sync?.internal.entries ?? 0;
      return entries >= least && other.sync?.external.entries === entries;
    },
    { description: 'the same flows on both nodes' },
  );
}

function releaseCommand(node: KeepstateNode): readonly string[] {
  return [...keepstateCommand(), 'release', '--config', node.configFile];
}
