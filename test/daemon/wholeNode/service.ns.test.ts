import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { Conntrackd } from '../../lab/conntrackd.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Keepalived } from '../../lab/keepalived.js';
import { Lab } from '../../lab/lab.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

/** What the very first notify scripts of a node get from the sockets that they may call. */
test('sockets answer before the first notify script runs', async () => {
  const lab = await Lab.open();
  try {
    const { firewalls } = await firewallPair(lab);
    const [host] = firewalls;
    const directory = host.directory;
    const said = `${directory}/said`;
    const script = host.file(
      'notify.sh',
      `#!/bin/sh
conntrackd -C ${directory}/client.conf -s > /dev/null 2>&1; echo "conntrackd $?" >> ${said}
${keepstateCommand().join(' ')} status --control ${directory}/run/control.sock > /dev/null 2>&1
[ $? -le 1 ] && echo 'status answers' >> ${said}
`,
    );
    chmodSync(script, 0o755);
    const node = new KeepstateNode(
      host,
      pairConfig({ index: 0, instanceLines: [`notify_backup ${script}`] }),
    );
    host.file('client.conf', readFileSync(node.configFile, 'utf8').replace(/^[^]*?(?=\nSync)/, ''));
    await node.start();
    const answers = await waitFor(() => {
      const text = existsSync(said) ? readFileSync(said, 'utf8') : '';
      return text.includes('status') ? text : undefined;
    });
    expect(answers).toBe('conntrackd 0\nstatus answers\n');
    await node.stop();
  } finally {
    await lab.close();
  }
});

describe('one node as a service', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let node: KeepstateNode;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    node = new KeepstateNode(pair.firewalls[0], pairConfig({ index: 0 }));
    await node.start();
    await node.waitForRole('MASTER');
  });

  afterAll(async () => {
    await lab.close();
  });

  /** A second daemon with the same file, until it has ended. */
  async function runBeside(
    config: string,
    control = `${node.host.directory}/beside.sock`,
  ): Promise<{ code: number | null; output: string }> {
    const file = node.host.file(
      'beside.conf',
      config.replaceAll('@DIRECTORY@', node.host.directory),
    );
    const second = node.host.start([
      ...keepstateCommand(),
      ...['run', '--config', file, '--control', control],
    ]);
    const { code } = await second.exited();
    return { code, output: second.output };
  }

  test('a second daemon with the same configuration does not start', async () => {
    const { code, output } = await runBeside(pairConfig({ index: 0 }));
    expect(code).toBe(1);
    expect(output).toContain('is held by a running keepstate');
    expect((await node.status()).role).toBe('MASTER');
  });

  test('nor does one with another file and without a Sync block: both would be MASTER', async () => {
    const config = pairConfig({ index: 0, withoutSync: true });
    const { code, output } = await runBeside(config.replaceAll('/state', '/state-beside'));
    expect(code).toBe(1);
    expect(output).toMatch(/another keepstate \(process \d+\) runs in this network namespace/);
    expect((await node.status()).role).toBe('MASTER');
  });

  test.each([
    ['the control socket of a running one', 'another keepstate answers', () => node.controlPath],
    ['the path of a file', 'is not a socket', () => node.host.file('notes.txt', 'precious')],
  ])('a start with %s ends, and says why', async (_what, words, control) => {
    const config = `vrrp_instance B {\n  interface lan\n  virtual_router_id 77\n  priority 50\n}\n`;
    const { code, output } = await runBeside(config, control());
    expect(output).toContain(words);
    expect(code).toBe(1);
    expect((await node.status()).role).toBe('MASTER');
  });

  test('SIGHUP with a changed VIP and priority applies them; the role stays', async () => {
    const before = await node.status();
    // Five seconds after the takeover all addresses are announced once more (garp_master_delay).
    await waitFor(() => Date.now() - Date.parse(before.since) > 6_000, {
      description: 'the second block of announcements of the takeover',
    });
    const capture = await pair.client.capture('eth0', { filter: 'arp' });
    const changed = pairConfig({ index: 0, priority: 140 }).replace(
      `${pairAddresses.wanVip}/24 dev wan`,
      `${pairAddresses.wanVip}/24 dev wan\n    10.1.0.253/24 dev lan`,
    );
    node.writeConfig(changed);
    node.process.signal('SIGHUP');
    const status = await node.waitForStatus(
      (one) => one.instances[0]?.vips.length === 3 && one.instances[0].vips.every((v) => v.present),
      'the new VIP',
    );
    expect(status.since).toBe(before.since);
    expect(status.instances[0]).toMatchObject({ priority: 140, state: 'MASTER' });
    // The new address is announced, the one that stays is not; garp_master_delay later all of them
    // are once more.
    const announced = async (): Promise<string[]> => {
      const fields = ['frame.time_epoch', 'arp.src.proto_ipv4'];
      const all = await capture.fields(fields, 'arp.isgratuitous == 1');
      const begin = Number(all.find(([, address]) => address === '10.1.0.253')?.[0]);
      return all.filter(([at]) => Number(at) < begin + 3).map(([, address]) => address ?? '');
    };
    await waitFor(async () => (await announced()).includes('10.1.0.253'), {
      description: 'the announcement of the new VIP',
    });
    expect(await announced()).not.toContain(pairAddresses.lanVip);
    await capture.stop();
  });

  test('a broken file changes nothing and is refused with its place', async () => {
    const good = readFileSync(node.configFile, 'utf8');
    node.writeConfig(good.replace('virtual_router_id 51', 'virtual_router_id 999'));
    const outcome = await node.ask({ verb: 'reload' });
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'bad-configuration' } });
    expect(JSON.stringify(outcome)).toContain('keepstate.conf:');
    expect((await node.status()).instances[0]?.vrid).toBe(51);
    node.writeConfig(good);
    expect(await node.ask({ verb: 'reload' })).toMatchObject({
      kind: 'answer',
      result: { message: 'the configuration is the same: nothing to do' },
    });
  });

  test('what only a restart can change is refused by name', async () => {
    const good = readFileSync(node.configFile, 'utf8');
    node.writeConfig(good.replace('/state\n', '/elsewhere\n'));
    expect(await node.ask({ verb: 'reload' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'needs-restart', message: 'a reload cannot change: state_directory' },
    });
    node.writeConfig(good);
  });

  test('a change in the Sync block keeps the caches and says what was restarted', async () => {
    const good = readFileSync(node.configFile, 'utf8');
    node.writeConfig(good.replace('Mode FTFW {', 'Mode FTFW {\n    PurgeTimeout 7'));
    const outcome = await node.ask({ verb: 'reload' });
    expect(outcome.kind).toBe('answer');
    expect(JSON.stringify(outcome)).toContain('sync engine');
    expect((await node.status()).role).toBe('MASTER');
    node.writeConfig(good);
    await node.ask({ verb: 'reload' });
  });

  test.each([
    ['SIGUSR1', 'keepalived.data', 'VRRP Instance = GATEWAY'],
    ['SIGUSR1', 'keepalived.json', '"iname":"GATEWAY"'],
    ['SIGUSR2', 'keepalived.stats', 'VRRP Instance: GATEWAY'],
    [36, 'keepalived.json', '"iname":"GATEWAY"'],
    [63, 'keepalived.stats', 'VRRP Instance: GATEWAY'],
  ] as const)('signal %s writes %s', async (signal, name, line) => {
    const path = `${tmpDirectory()}/${name}`;
    rmSync(path, { force: true });
    node.process.signal(signal);
    await waitFor(() => existsSync(path) && readFileSync(path, 'utf8').includes(line));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    rmSync(path);
  });

  test('forced maintenance rests even alone, survives a restart, and off ends it', async () => {
    expect(await node.ask({ verb: 'maintenance', on: true, force: false })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'peer-not-synchronised' },
    });
    expect(await node.ask({ verb: 'maintenance', on: true, force: true })).toMatchObject({
      kind: 'answer',
    });
    expect((await node.waitForRole('BACKUP')).maintenance).toBe(true);
    await node.stop();
    await node.start();
    expect((await node.waitForRole('BACKUP')).maintenance).toBe(true);
    // Longer than master_down: it would have taken the role.
    expect((await node.waitForAge(5_000)).role).toBe('BACKUP');
    await node.ask({ verb: 'maintenance', on: false, force: false });
    await node.waitForRole('MASTER');
  });

  test('a clean stop ends with 0, without VIPs, lock file and sockets', async () => {
    await node.stop();
    expect(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)).toBe(false);
    expect((await node.process.exited()).code).toBe(0);
    for (const name of ['keepstate.lock', 'run/control.sock', 'run/flows.sock', 'conntrackd.ctl']) {
      expect({ name, exists: existsSync(`${node.host.directory}/${name}`) }).toEqual({
        name,
        exists: false,
      });
    }
  });

  test('beside a running keepalived it does not start, and names the remedy', async () => {
    const keepalived = await Keepalived.start(node.host, keepalivedConfig);
    const { code, output } = await runBeside(pairConfig({ index: 0 }));
    expect(code).toBe(1);
    expect(output).toContain('keepalived (process ');
    expect(output).toContain('systemctl disable --now keepalived');
    // It left nothing, and the other one in peace.
    expect(await node.host.hasAddress(pairAddresses.lanVip)).toBe(false);
    expect(await keepalived.state('OTHER')).toMatch(/^(BACKUP|MASTER)$/);
    await keepalived.stop();
  });

  test('beside a running conntrackd it does not start, and names the remedy', async () => {
    const conntrackd = await Conntrackd.start(node.host, {
      mode: 'FTFW',
      link: {
        kind: 'udp',
        local: pairAddresses.sync[0],
        destination: pairAddresses.sync[1],
        interfaceName: 'sync',
      },
    });
    const { code, output } = await runBeside(pairConfig({ index: 0 }));
    expect(code).toBe(1);
    expect(output).toContain('systemctl disable --now conntrackd');
    await conntrackd.process.stop();
  });
});

/** Another virtual router: the two would not even disturb each other. */
const keepalivedConfig = `
vrrp_instance OTHER {
  interface lan
  virtual_router_id 77
  priority 100
  virtual_ipaddress {
    10.1.0.250/24 dev lan
  }
}
`;

function tmpDirectory(): string {
  return process.env['TMPDIR'] ?? '/tmp';
}
