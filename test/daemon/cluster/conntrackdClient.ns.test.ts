import { connect } from 'node:net';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, type TcpReport, type Traffic } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

describe("conntrackd 1.4.7's own client against keepstate, and keepstate's own", () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];
  let tcp: Traffic<TcpReport>;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0 })),
      new KeepstateNode(fw2, pairConfig({ index: 1 })),
    ];
    for (const node of nodes) node.host.file('conntrackd.conf', conntrackdConfOf(node));
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
    tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 5 });
    await nodes[1].waitForStatus((one) => one.sync?.external.entries === 5, 'five flows');
  });

  afterAll(async () => {
    await lab.close();
  });

  async function conntrackd(node: KeepstateNode, ...words: string[]): Promise<string> {
    const file = `${node.host.directory}/conntrackd.conf`;
    const { exitCode, stdout, stderr } = await node.host.tryExec([
      'conntrackd',
      '-C',
      file,
      ...words,
    ]);
    expect({ exitCode, stderr: withoutWarnings(stderr) }).toEqual({ exitCode: 0, stderr: '' });
    return stdout;
  }

  test('-s and its sections have the known layout', async () => {
    const [master] = nodes;
    expect(await conntrackd(master, '-s')).toMatch(
      /^cache internal:\ncurrent active connections:\t +5\n/,
    );
    expect(await conntrackd(master, '-s', 'network')).toContain('network statistics:\n\trecv:\n');
    expect(await conntrackd(master, '-s', 'cache')).toContain('cache:internal\tactive objects:');
    expect(await conntrackd(master, '-s', 'runtime')).toContain('daemon uptime: 0 min');
    expect(await conntrackd(master, '-s', 'link')).toContain(
      'UDP traffic device=sync status=RUNNING',
    );
    expect(await conntrackd(master, '-s', 'queue')).toContain('queue txqueue:');
    expect(await conntrackd(master, '-s', 'rsqueue')).toContain('resent queue (len=');
  });

  test('-i at the master and -e at the backup list the same flows, as text and XML', async () => {
    const [master, backup] = nodes;
    const internal = await conntrackd(master, '-i');
    expect(internal.trimEnd().split('\n')).toHaveLength(5);
    expect(internal).toMatch(/^tcp +6 ESTABLISHED src=10\.1\.0\.10 dst=10\.2\.0\.10 /);
    const external = await conntrackd(backup, '-e');
    expect(ports(external)).toEqual(ports(internal));
    expect(await conntrackd(master, '-i', '-x')).toContain('<layer4 protonum="6"');
    expect(await conntrackd(backup, '-e', '-x')).toContain('<layer4 protonum="6"');
    expect(await conntrackd(backup, '-i')).toBe('');
  });

  test('keepstate stats and flows print the same', async () => {
    const [master, backup] = nodes;
    const stats = await master.cli('stats', 'network');
    expect(stats.stdout).toContain('network statistics:');
    const flows = await backup.cli('flows', 'external');
    expect(flows).toMatchObject({ exitCode: 0 });
    expect(ports(flows.stdout)).toEqual(ports(await conntrackd(backup, '-e')));
  });

  test('-B, -n, -R and -t do what they say', async () => {
    const [master, backup] = nodes;
    await conntrackd(backup, '-f', 'external');
    expect(await conntrackd(backup, '-e')).toBe('');
    await conntrackd(master, '-B');
    await waitForExternal(backup, 5);
    await conntrackd(backup, '-f');
    await waitForExternal(backup, 0);
    await conntrackd(backup, '-n');
    await waitForExternal(backup, 5);
    await conntrackd(master, '-f', 'internal');
    await conntrackd(master, '-R');
    await master.waitForStatus((one) => one.sync?.internal.entries === 5, 'the internal cache');
    await conntrackd(backup, '-t');
    await backup.waitForStatus((one) => one.sync?.purgeInMs !== undefined, 'a scheduled purge');
  });

  test('-c commits the external cache into the kernel, -F empties the kernel again', async () => {
    const backup = nodes[1];
    await conntrackd(backup, '-c');
    expect(await pair.firewalls[1].conntrack('-L', '-p', 'tcp')).toContain('dport=7000');
    await conntrackd(backup, '-F');
    await waitFor(
      async () => !(await pair.firewalls[1].conntrack('-L', '-p', 'tcp')).includes('dport=7000'),
      { description: 'an empty kernel table' },
    );
  });

  test('keepstate sync says what was done', async () => {
    const { stdout, exitCode } = await nodes[0].cli('sync', 'bulk');
    expect(stdout.length).toBeGreaterThan(5);
    expect(exitCode).toBe(0);
  });

  test('an idle client holds nothing up', async () => {
    const idle = connect(`${nodes[0].host.directory}/conntrackd.ctl`);
    await new Promise((resolve) => idle.once('connect', resolve));
    expect(await conntrackd(nodes[0], '-s')).toContain('cache internal');
    expect((await nodes[0].status()).role).toBe('MASTER');
    idle.destroy();
  });

  test('-k stops the daemon cleanly, and every connection goes on through the other', async () => {
    await conntrackd(nodes[0], '-k');
    expect((await nodes[0].process.exited()).code).toBe(0);
    await nodes[1].waitForRole('MASTER');
    expect(await tcp.finish()).toMatchObject({ survivors: 5, resets: 0 });
  });

  async function waitForExternal(node: KeepstateNode, entries: number): Promise<void> {
    await node.waitForStatus(
      (one) => one.sync?.external.entries === entries,
      `${entries} external entries`,
    );
  }
});

/** The operator's conntrackd.conf: the file that was put behind keepalived's. */
function conntrackdConfOf(node: KeepstateNode): string {
  const text = pairConfig({ index: node.host.name === 'fw1' ? 0 : 1 });
  return text.slice(text.indexOf('Sync {')).replaceAll('@DIRECTORY@', node.host.directory);
}

/** The client repeats the daemon's warnings on its configuration. */
function withoutWarnings(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.includes('[warning]') && !line.includes('[notice]'))
    .join('\n')
    .trim();
}

/** Source ports of the listed flows, sorted. */
function ports(listing: string): string[] {
  return [...listing.matchAll(/^\w+ .*? sport=(\d+)/gm)].map((match) => match[1] ?? '').sort();
}
