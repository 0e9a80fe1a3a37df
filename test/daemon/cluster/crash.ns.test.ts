import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { systemClock } from '../../../src/base/systemClock.js';
import { tryRun } from '../../lab/command.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../../lab/traffic.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { waitFor } from '../../lab/waitFor.js';
import { advertsFrom } from '../../support/vrrp/capture.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

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
    await Promise.all(nodes.map((node) => node.start('test/support/daemon/killableWorker.cjs')));
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
    await nodes[0].start('test/support/daemon/killableWorker.cjs');
    const status = await nodes[0].waitForRole('MASTER');
    expect(status.reason).toContain('resume');
    await waitForSameFlows(nodes, 10);
    expect((await nodes[1].history()).length).toBe(transitions);
    expect(await tcp.finish()).toMatchObject({ survivors: 10, resets: 0 });
    // Forwarding is the kernel's: it does not need the daemon.
    expect((await udp.finish()).longestSilenceMilliseconds).toBeLessThan(1_000);
  });

  test('in time, but not to resume: priority 0 follows the VIPs, and the peer need not wait', async () => {
    const capture = await pair.firewalls[1].capture('lan', { filter: 'ip proto 112' });
    const roles = join(nodes[0].host.directory, 'run/role.json');
    await waitFor(() => readFileSync(roles, 'utf8').includes('GATEWAY'));
    await nodes[0].process.kill();
    // An operator's maintenance, as it is kept: set by hand here, since a daemon would have handed
    // over.
    const state = join(nodes[0].host.directory, 'state/state.json');
    writeFileSync(state, '{"maintenance":true}');
    await nodes[0].start('test/support/daemon/killableWorker.cjs');
    await nodes[1].waitForRole('MASTER');
    // Not the silence: it would have said "no advertisement".
    expect((await nodes[1].status()).reason).toContain('gave up the role');
    const mac = await pair.firewalls[0].macOf('lan');
    const goodbyes = async (): Promise<number> =>
      (await advertsFrom(capture, mac)).filter(({ priority }) => priority === 0).length;
    await waitFor(async () => (await goodbyes()) > 0, { description: 'priority 0 in the capture' });
    expect(await goodbyes()).toBe(1);
    expect(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)).toBe(false);
    await capture.stop();
    await nodes[0].ask({ verb: 'maintenance', on: false, force: false });
    await nodes[0].waitForRole('MASTER');
  });

  test('started again too late: the VIPs left behind are removed, and the other keeps the role', async () => {
    const capture = await pair.firewalls[1].capture('lan', { filter: 'ip proto 112' });
    const roles = join(nodes[0].host.directory, 'run/role.json');
    await waitFor(() => readFileSync(roles, 'utf8').includes('GATEWAY'));
    await nodes[0].process.kill();
    await nodes[1].waitForRole('MASTER');
    expect(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)).toBe(true);
    // Longer than any peer waits with the interval that it starts with: 3 of 2 s, and less than one
    // more.
    const { units } = JSON.parse(readFileSync(roles, 'utf8')) as { units: { GATEWAY: number } };
    await waitFor(() => systemClock.now() - units.GATEWAY > 7_000_000, {
      description: 'the patience of every peer to be over',
    });
    nodes[0].writeConfig(pairConfig({ index: 0, advertSeconds: 2, instanceLines: ['nopreempt'] }));
    await nodes[0].start();
    await nodes[0].waitForRole('BACKUP');
    await waitFor(async () => !(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)), {
      description: 'the leftover VIP to go',
    });
    expect((await nodes[1].status()).role).toBe('MASTER');
    // Nobody waits for it any more: it has nothing to say.
    const adverts = await advertsFrom(capture, await pair.firewalls[0].macOf('lan'));
    expect(adverts.filter(({ priority }) => priority === 0)).toEqual([]);
    await capture.stop();
  });

  test('release removes what a crash left, and touches nothing while a daemon runs', async () => {
    const running = await nodes[1].host.tryExec(releaseCommand(nodes[1]));
    expect(running.exitCode).toBe(1);
    expect(running.stdout).toContain('nothing was removed');
    await nodes[1].process.kill();
    expect(await pair.firewalls[1].hasAddress(pairAddresses.lanVip)).toBe(true);
    const released = await nodes[1].host.tryExec(releaseCommand(nodes[1]));
    expect(released.stdout).toContain(`removed ${pairAddresses.lanVip}/24 on lan`);
    expect(released.stdout).toContain('told the peers of GATEWAY that this node has left');
    expect(released.exitCode).toBe(0);
    expect(await pair.firewalls[1].hasAddress(pairAddresses.lanVip)).toBe(false);
    const master = await nodes[0].waitForRole('MASTER');
    expect(master.reason).toContain('gave up the role');
    // From outside, with net_namespace, it is the same node.
    const { host } = nodes[1];
    await host.ip(`address add ${pairAddresses.lanVip}/24 dev lan`);
    const text = readFileSync(nodes[1].configFile, 'utf8');
    const outside = host.file('outside.conf', `net_namespace ${host.namespace}\n${text}`);
    const words = releaseCommand(nodes[1]).slice(0, -1);
    const entered = await tryRun([...words, outside]);
    expect(entered.stdout).toContain(`removed ${pairAddresses.lanVip}/24 on lan`);
    expect(await host.hasAddress(pairAddresses.lanVip)).toBe(false);
    host.file('outside.conf', `net_namespace no-such-namespace\n${text}`);
    const refused = await tryRun([...words, outside]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stdout).toContain('cannot enter the network namespace no-such-namespace');
    // What was released is not resumed.
    const again = await nodes[1].host.tryExec(releaseCommand(nodes[1]));
    expect(again.stdout).toBe('');
    await nodes[1].start();
    await nodes[1].waitForRole('BACKUP');
    expect((await nodes[0].status()).role).toBe('MASTER');
  });

  test('with a broken file, release still removes the addresses that a crash has left', async () => {
    const good = readFileSync(nodes[0].configFile, 'utf8');
    await nodes[0].process.kill();
    await pair.firewalls[0].ip('address add 10.1.0.77/24 dev lan');
    nodes[0].writeConfig(good.replace('virtual_router_id 51', 'virtual_router_id 999'));
    const released = await nodes[0].host.tryExec(releaseCommand(nodes[0]));
    expect(released.exitCode).toBe(1);
    expect(released.stdout).toContain('keepstate.conf:');
    expect(released.stdout).toContain(`removed ${pairAddresses.lanVip}/24 on lan`);
    expect(released.stdout).toContain(`removed ${pairAddresses.wanVip}/24 on wan`);
    for (const address of [pairAddresses.lan[0], '10.1.0.77']) {
      expect(await pair.firewalls[0].hasAddress(address)).toBe(true);
    }
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
