import { join } from 'node:path';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { repositoryRoot, typescriptCommand } from '../../lab/runTypescript.js';
import { SystemdMachine } from '../../lab/systemd.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const units = '/usr/lib/systemd/system';
const configFile = '/etc/keepstate/keepstate.conf';
const { lanVip } = pairAddresses;

/** Node.js starts within the patience of a peer also where the machine has other work. */
const advertSeconds = 3;

/**
 * As an operator has it: the paths that the unit makes. `runtime` is where nobody but its user may
 * write.
 */
function installedConfig(runtime = '/run'): string {
  return pairConfig({
    index: 0,
    advertSeconds,
    globalLines: ['vrrp_rt_priority 20'],
    generalLines: ['Nice +5', 'Syslog on'],
  })
    .replace('@DIRECTORY@/state', '/var/lib/keepstate')
    .replace('@DIRECTORY@/run/control.sock', '/run/keepstate/control.sock')
    .replace('@DIRECTORY@/keepstate.lock', `${runtime}/conntrack.lock`)
    .replace('@DIRECTORY@/conntrackd.ctl', `${runtime}/conntrackd.ctl`);
}

describe('the units, run by systemd', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let machine: SystemdMachine;
  let peer: KeepstateNode;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const shipped = (name: string): { source: string } => ({
      source: join(repositoryRoot, 'config', name),
    });
    machine = await SystemdMachine.boot(pair.firewalls[0], {
      [`${units}/keepstate.service`]: shipped('keepstate.service'),
      [`${units}/keepstate-release.service`]: shipped('keepstate-release.service'),
      '/root/user.conf': shipped('keepstate.service.d/user.conf'),
      [configFile]: installedConfig(),
    });
    peer = new KeepstateNode(pair.firewalls[1], pairConfig({ index: 1, advertSeconds }));
  });

  afterAll(async () => {
    await machine.powerOff();
    await lab.close();
  });

  const waitForStatusText = (text: string): Promise<unknown> =>
    waitFor(async () => (await machine.show('keepstate', 'StatusText'))['StatusText'] === text, {
      description: `STATUS=${text}`,
    });
  const mainPid = async (): Promise<string> =>
    (await machine.show('keepstate', 'MainPID'))['MainPID'] ?? '';
  const waitForRestart = (pid: string): Promise<unknown> =>
    waitFor(
      async () => {
        const now = await machine.show('keepstate', 'MainPID', 'ActiveState');
        return now['ActiveState'] === 'active' && now['MainPID'] !== pid;
      },
      { description: 'the restart', timeout: 60_000 },
    );
  const hasVip = (): Promise<boolean> => pair.firewalls[0].hasAddress(lanVip);
  const dropIn = async (name: string, ...lines: string[]): Promise<void> => {
    const folder = `/etc/systemd/system/keepstate.service.d`;
    await machine.exec(['mkdir', '-p', folder]);
    await machine.write(`${folder}/${name}.conf`, `[Service]\n${lines.join('\n')}\n`);
    await machine.systemctl('daemon-reload');
  };

  test('are sound', async () => {
    const verdict = await machine.tryExec(['systemd-analyze', 'verify', 'keepstate.service']);
    const lines = verdict.stderr.split('\n').filter((line) => line.includes('keepstate'));
    // Known from systemd 254 on.
    expect(lines.filter((line) => !line.includes("'RestartMode'"))).toEqual([]);
  });

  test('the start ends when VRRP runs, and the status line names the role', async () => {
    await machine.systemctl('start', 'keepstate');
    const state = await machine.show('keepstate', 'ActiveState', 'StatusText', 'Type');
    expect(state).toMatchObject({ ActiveState: 'active', Type: 'notify' });
    expect(state['StatusText']).toContain('GATEWAY BACKUP');
    await waitForStatusText('GATEWAY MASTER; sync peer-lost');
    expect(await hasVip()).toBe(true);
    await peer.start();
    await waitForStatusText('GATEWAY MASTER; sync synchronised');
    await peer.waitForRole('BACKUP');
    expect(await machine.journal('keepstate')).not.toMatch(
      /warning: (?!HashLimit|others than the peer)[a-z]/,
    );
  });

  test('the journal has each line once, with its priority, also with Syslog on', async () => {
    const lines = await machine.journalLines('keepstate');
    const ofRole = lines.filter(({ message }) => message.includes('Entering MASTER STATE'));
    expect(ofRole.map(({ priority }) => priority)).toEqual([5]);
    expect(new Set(lines.map(({ priority }) => priority)).size).toBeGreaterThan(1);
  });

  test('a reload applies the file, and a broken one fails and changes nothing', async () => {
    const status = async (): Promise<string> =>
      (await machine.tryExec(['keepstate', 'status', '--json'])).stdout;
    await machine.write(configFile, installedConfig().replace('priority 150', 'priority 140'));
    await machine.systemctl('reload', 'keepstate');
    expect(await status()).toContain('"priority": 140');
    await machine.write(configFile, installedConfig().replace('priority 150', 'priority x'));
    const outcome = await machine.tryExec(['systemctl', 'reload', 'keepstate']);
    expect(outcome.exitCode).not.toBe(0);
    expect(await machine.journal('keepstate')).toContain("'x' is not right for 'priority'");
    await machine.write(configFile, installedConfig());
    await machine.systemctl('kill', '--signal=HUP', '--kill-whom=main', 'keepstate');
    await waitFor(async () => (await status()).includes('"priority": 150'));
    expect(await machine.show('keepstate', 'ActiveState', 'NRestarts')).toEqual({
      ActiveState: 'active',
      NRestarts: '0',
    });
  });

  test('killed, it is started again in time and resumes; nothing is released in between', async () => {
    const transitions = (await peer.history()).length;
    const pid = await mainPid();
    await machine.systemctl('kill', '--signal=KILL', '--kill-whom=main', 'keepstate');
    await waitForRestart(pid);
    expect(await machine.journal('keepstate')).toContain('resumes after a crash');
    await waitForStatusText('GATEWAY MASTER; sync synchronised');
    expect((await peer.history()).length).toBe(transitions);
    expect(await machine.journal('keepstate-release')).not.toContain('removed');
  });

  test('a stop hands over', async () => {
    const { sync } = await peer.waitForStatus(
      (status) => status.sync?.parity === 'equal',
      'the flows of the machine at its peer',
    );
    expect(sync?.state).toBe('synchronised');
    await waitFor(
      async () =>
        /"parity": ?"equal"/.test(
          (await machine.tryExec(['keepstate', 'status', '--json'])).stdout,
        ),
      { description: 'equal caches on the machine' },
    );
    await machine.systemctl('stop', 'keepstate');
    await peer.waitForRole('MASTER');
    expect(await hasVip()).toBe(false);
    expect((await machine.show('keepstate', 'Result'))['Result']).toBe('success');
    expect((await peer.status()).reason).toContain('the peer handed the role over');
  });

  test('the watchdog ends a stalled VRRP loop, and no stalled sync worker', async () => {
    const program = typescriptCommand('test/support/daemon/stallableThreads.ts').join(' ');
    await dropIn(
      'test',
      'WatchdogSec=4s',
      // Where TypeScript is compiled to.
      `ReadWritePaths=${repositoryRoot}/node_modules`,
      'ExecStart=',
      `ExecStart=${program} run --config ${configFile}`,
    );
    await machine.systemctl('start', 'keepstate');
    await waitForStatusText('GATEWAY MASTER; sync synchronised');
    const pid = await mainPid();
    await machine.systemctl('kill', '--signal=WINCH', '--kill-whom=main', 'keepstate');
    // Its own supervisor ends the worker; the process goes on.
    await waitFor(
      async () => (await machine.journal('keepstate')).includes('the sync engine hangs'),
      { description: 'the worker to be found silent', timeout: 90_000 },
    );
    await waitForStatusText('GATEWAY MASTER; sync synchronised');
    expect(await mainPid()).toBe(pid);
    await machine.systemctl('kill', '--signal=URG', '--kill-whom=main', 'keepstate');
    await waitForRestart(pid);
    expect(await machine.journal('keepstate')).toContain('Watchdog timeout');
    await machine.systemctl('stop', 'keepstate');
    await machine.exec(['rm', '/etc/systemd/system/keepstate.service.d/test.conf']);
    await machine.systemctl('daemon-reload');
  });

  test('without root, with four capabilities, it does all of its work', async () => {
    await machine.exec(['useradd', '--system', '--user-group', '--no-create-home', 'keepstate']);
    await machine.write(configFile, installedConfig('/run/keepstate'));
    await machine.exec(['chgrp', 'keepstate', configFile]);
    await machine.exec(['chmod', '640', configFile]);
    await machine.exec(['cp', '/root/user.conf', '/etc/systemd/system/keepstate.service.d/']);
    await machine.systemctl('daemon-reload');
    const before = (await machine.journal('keepstate')).length;
    await machine.systemctl('start', 'keepstate');
    await waitForStatusText('GATEWAY MASTER; sync synchronised');
    expect(await hasVip()).toBe(true);
    const status = await machine.exec(['cat', `/proc/${await mainPid()}/status`]);
    expect(status).not.toMatch(/^Uid:\s+0\b/m);
    expect(status).toMatch(/^CapEff:\s+0000000000803400$/m);
    // The thread that serves VRRP is real-time, the sync worker is nice.
    const pid = await mainPid();
    const threads = await machine.exec(['ps', '-L', '-o', 'tid=,cls=,rtprio=,ni=', '-p', pid]);
    const rows = threads.split('\n').map((line) => line.trim().split(/\s+/));
    expect(rows).toContainEqual([pid, 'RR', '20', '-']);
    expect(rows.filter(([tid]) => tid !== pid).map(([, policy]) => policy)).not.toContain('RR');
    expect(rows.map((row) => row.slice(1).join(' '))).toContain('TS - 5');
    const files = await machine.exec(['ls', '/var/lib/keepstate', '/run/keepstate']);
    for (const name of ['history.jsonl', 'control.sock', 'role.json', 'conntrack.lock']) {
      expect(files).toContain(name);
    }
    expect((await machine.journal('keepstate')).slice(before)).not.toMatch(
      /Z (error|warning): (?!HashLimit|others than the peer)/,
    );
  });

  test('one that can never start again leaves no address: release follows', async () => {
    expect(await hasVip()).toBe(true);
    await machine.write(configFile, installedConfig().replace('priority 150', 'priority x'));
    await machine.systemctl('kill', '--signal=KILL', '--kill-whom=main', 'keepstate');
    await waitFor(
      async () => (await machine.show('keepstate', 'ActiveState'))['ActiveState'] === 'failed',
      { description: 'systemd to give up', timeout: 120_000 },
    );
    await waitFor(async () => !(await hasVip()), { description: 'the release' });
    expect(await machine.journal('keepstate-release')).toContain(`removed ${lanVip}/24 on lan`);
  });
});
