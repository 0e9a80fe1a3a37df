/**
 * What docs/installation.md and docs/operations.md tell an operator, done on two bare Debian
 * machines with connections through them: install, configure, start, upgrade, a version that does
 * not start, back to the pair, removal, purge.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { waitingPackages, type DebianSuite } from '../lab/debianBase.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import { startServer, startTcp } from '../lab/traffic.js';
import { waitFor } from '../lab/waitFor.js';
import { DebianNode } from './debianNode.js';
import { makeBroken, makePackages } from './makePackages.js';

const versions = ['0.2.0', '0.2.1'] as const;
const broken = '0.2.9';
/** As many connections as the upgrades are to lose none of. */
const count = 200;

export function debianStory(suite: DebianSuite, rounds: number): void {
  jest.setTimeout(3_000_000);
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [DebianNode, DebianNode];
  let before: readonly string[];
  const packages: string[] = [];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const folder = join(lab.directory, 'packages');
    mkdirSync(folder);
    for (const version of versions) {
      await makePackages(folder, { version, only: ['deb'], node: 'pinned' });
      packages.push(join(folder, `keepstate_${version}_amd64.deb`));
    }
    packages.push(await makeBroken(packages[0] ?? '', folder, broken));
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      await DebianNode.boot(suite, fw1, 0, packages),
      await DebianNode.boot(suite, fw2, 1, packages),
    ];
    await startServer(pair.server);
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.machine.powerOff()));
    await lab.close();
  });

  const master = async (): Promise<DebianNode> => {
    const roles = await Promise.all(nodes.map(async (node) => (await node.status())?.role));
    return nodes[roles[0] === 'MASTER' ? 0 : 1];
  };
  const settle = async (): Promise<void> => {
    const first = await master();
    for (const node of nodes) await node.waitForRole(node === first ? 'MASTER' : 'BACKUP');
  };

  test('the machines have no Node.js, compiler, npm or way out', async () => {
    for (const node of nodes) {
      const found = await node.try('command -v node nodejs npm gcc cc g++ make');
      expect(found.stdout).toBe('');
      expect((await node.sh('ip route')).includes('default')).toBe(false);
    }
    before = await nodes[0].paths();
  });

  test('dpkg -i is enough, and nothing runs before there is a configuration', async () => {
    for (const node of nodes) {
      await node.install(packages[0] ?? '');
      expect((await node.try('systemctl is-active keepstate')).stdout).toBe('inactive\n');
      expect((await node.try('pidof keepstate')).exitCode).toBe(1);
      expect(await node.sh('dpkg --verify keepstate')).toBe('');
      expect(await node.sh('keepstate --version')).toBe(`${versions[0]}\n`);
    }
  });

  test('configured from the sample, checked and started, it takes the role', async () => {
    for (const node of nodes) {
      await node.configure();
      expect((await node.try('keepstate check')).exitCode).toBe(0);
      await node.sh('systemctl start keepstate');
      expect((await node.sh('systemctl is-enabled keepstate')).trim()).toBe('enabled');
      expect((await node.try('pidof keepstate')).exitCode).toBe(0);
    }
    await settle();
    expect(await nodes[0].host.hasAddress(pairAddresses.lanVip)).toBe(true);
    expect(await nodes[0].sh('keepstate status')).toMatch(/ is MASTER since /);
  });

  test('manual pages, completion and the journal are there', async () => {
    const [node] = nodes;
    expect(await node.sh('MANPAGER=cat man 8 keepstate-status | cat')).toContain(
      'keepstate status',
    );
    expect(await node.sh('MANPAGER=cat man 5 keepstate.conf | cat')).toContain('vrrp_instance');
    const script = `. /usr/share/bash-completion/bash_completion; _completion_loader keepstate 2>/dev/null || _comp_load keepstate; COMP_WORDS=(keepstate sta); COMP_CWORD=1; _keepstate; echo "\${COMPREPLY[@]}"`;
    expect(await node.machine.exec(['bash', '-c', script])).toContain('status');
    const lines = await node.machine.journalLines('keepstate');
    const own = lines.filter(({ message }) => message.includes('Entering MASTER STATE'));
    // One for each instance of the sample.
    expect(own.map(({ priority }) => priority)).toEqual([5, 5]);
    expect(own[0]?.message).toMatch(/^(notice: )?Entering MASTER STATE/);
    const warnings = await node.sh('journalctl -u keepstate -p warning -o cat --no-pager');
    expect(warnings).not.toMatch(/^(notice|info): /m);
  });

  test(`${rounds} upgrades of both nodes lose none of ${count} connections`, async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count });
    for (let round = 0; round < rounds; round++) {
      const next = 1 - (round % 2);
      const first = await master();
      const backup = nodes[0] === first ? nodes[1] : nodes[0];
      for (const node of [backup, first]) {
        const said = await node.install(packages[next] ?? '');
        if (node === first) expect(said).toContain('handed over');
        expect(said).not.toContain('did not start');
        expect((await node.status())?.version).toBe(versions[next]);
      }
      // The role stays where the last upgrade has put it.
      await backup.waitForRole('MASTER');
      await first.waitForRole('BACKUP');
    }
    expect(await tcp.finish()).toMatchObject({
      ...{ connections: count, established: count, survivors: count, resets: 0, mismatches: 0 },
    });
  });

  test('a version that does not start: the one before runs again, and the package says so', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count });
    const node = await master();
    const was = (await node.status())?.version;
    const said = await node.install(packages[2] ?? '');
    expect(said).toContain('did not start: the one before runs again');
    // The command is the new version's, and talks to the daemon of before.
    expect((await node.status())?.version).toBe(was);
    await node.waitForRole('BACKUP');
    // It outlives a restart, and the next upgrade ends it.
    await node.sh('systemctl restart keepstate');
    await node.waitForRole('BACKUP');
    await node.install(packages[1] ?? '');
    expect((await node.status())?.version).toBe(versions[1]);
    expect(
      (await node.try('ls /etc/systemd/system/keepstate.service.d /usr/lib/keepstate.previous'))
        .exitCode,
    ).not.toBe(0);
    await settle();
    expect(await tcp.finish()).toMatchObject({ survivors: count, resets: 0 });
  });

  // With keepalived 2.3.3 of Debian 13 the flows of the MASTER are in conntrackd's external cache,
  // and its notify script does not commit them here: why is not known, and docs/installation.md
  // says that it was not shown there.
  test('back to keepalived and conntrackd, node by node: nothing is lost', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count });
    const first = await master();
    const backup = nodes[0] === first ? nodes[1] : nodes[0];
    const debs = (await waitingPackages(suite)).join(' ');
    for (const node of [backup, first]) {
      const { keepalived, conntrackd } = node.pairFiles();
      await node.put('/etc/keepalived/keepalived.conf', keepalived);
      await node.put('/etc/conntrackd/conntrackd.conf', conntrackd);
      // As they would be on a gateway that came from the pair: installed, and disabled.
      await node.sh(`printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        DEBIAN_FRONTEND=noninteractive dpkg -i --force-confold ${debs} >/dev/null 2>&1; rm /usr/sbin/policy-rc.d
        systemctl disable keepalived conntrackd 2>/dev/null`);
      await node.sh(
        'systemctl disable --now keepstate && systemctl enable --now conntrackd keepalived',
      );
      if (node === backup) {
        await waitFor(
          async () => {
            const { stdout } = await node.try('conntrackd -s');
            return (
              Number(/cache external:\s+current active connections:\s+(\d+)/.exec(stdout)?.[1]) >=
              count
            );
          },
          { description: 'the flows of the MASTER', timeout: 60_000 },
        );
      }
    }
    await waitFor(() => backup.host.hasAddress(pairAddresses.lanVip), {
      description: 'keepalived to be MASTER',
    });
    const report = await tcp.finish();
    const seen =
      report.survivors === count
        ? ''
        : (await backup.try('journalctl --no-pager -n 60; conntrackd -s; ip address')).stdout;
    expect({ ...report, seen }).toMatchObject({ survivors: count, resets: 0, seen: '' });
    for (const node of nodes) await node.sh('systemctl disable --now keepalived conntrackd');
  });

  test('removed and purged, it leaves nothing', async () => {
    const [node] = nodes;
    if (suite === 'bookworm') {
      await node.sh('DEBIAN_FRONTEND=noninteractive dpkg --purge keepalived conntrackd');
    }
    await node.sh('systemctl enable --now keepstate');
    await waitFor(() => node.host.hasAddress(pairAddresses.lanVip), { description: 'the role' });
    await node.sh('dpkg --remove keepstate');
    expect(await node.host.hasAddress(pairAddresses.lanVip)).toBe(false);
    expect((await node.try('pidof keepstate')).exitCode).toBe(1);
    expect(await node.host.exec(['nft', 'list', 'tables'])).not.toContain('keepstate');
    await node.sh('dpkg --purge keepstate');
    const left = (await node.paths()).filter((path) => !before.includes(path));
    expect(left.filter((path) => path.includes('keepstate'))).toEqual([]);
    expect((await node.try('getent passwd keepstate')).stdout).toBe('');
    expect(await node.sh('systemctl list-unit-files --no-pager')).not.toContain('keepstate');
  });
}
