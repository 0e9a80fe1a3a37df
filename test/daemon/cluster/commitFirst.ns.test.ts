import { capturedArp, framesOfHosts } from '../../support/daemon/takeoverCapture.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { typescriptCommand } from '../../lab/runTypescript.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const { client, server, lanVip, wanVip } = pairAddresses;
/**
 * Enough for a commit that takes some time; one address and one server take 40,000 of the injector,
 * by their ports.
 */
const ballast = process.env['KEEPSTATE_FULL'] === '1' ? 40_000 : 20_000;

describe('policy ACCEPT and tcp_loose 1, the case in which packets before the commit break flows', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab, { bare: true });
    for (const firewall of pair.firewalls) {
      await firewall.nft(acceptingRuleset);
      await firewall.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 1 });
    }
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0, instances: 'group' })),
      new KeepstateNode(fw2, pairConfig({ index: 1, instances: 'group' })),
    ];
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
  });

  afterAll(async () => {
    await lab.close();
  });

  test('no ARP answer, no gratuitous ARP and no frame of the traffic before the commit has ended', async () => {
    const [fw1, fw2] = pair.firewalls;
    const tcp = await startTcp(pair.client, { server, count: 20 });
    await pair.firewalls[0].exec(injectCommand(ballast));
    await nodes[1].waitForStatus(
      (one) => (one.sync?.external.entries ?? 0) >= ballast + 20,
      'the flows to be replicated',
    );
    const strayPort = await plantStray(pair);
    const captures = await Promise.all([fw2.capture('lan'), fw2.capture('wan')]);
    await Promise.all([pair.unplug(0), nodes[0].process.kill()]);
    // Both ends look for the VIPs all the time.
    const asking = (
      [
        [pair.client, lanVip],
        [pair.server, wanVip],
      ] as const
    ).flatMap(([host, vip]) => [
      host.start(['sh', '-c', 'while true; do ip neigh flush all; sleep 0.05; done']),
      host.start(['ping', '-q', '-i', '0.05', vip]),
    ]);
    await nodes[1].waitForRole('MASTER');
    const status = await nodes[1].waitForStatus(
      (one) => (one.sync?.lastCommit?.entries ?? 0) >= ballast,
      'the commit to be shown',
    );
    await waitFor(async () => (await fw2.conntrack('-L', '-p', 'tcp')).includes('ASSURED'));
    await Promise.all(asking.map((loop) => loop.kill()));
    expect(await tcp.finish()).toMatchObject({ survivors: 20, resets: 0, mismatches: 0 });

    expect(status.sync?.lastCommit?.failed).toBe(0);
    // Milliseconds, cut to whole ones where they are written down.
    const committedAt = Date.parse(status.sync?.lastCommit?.at ?? '') / 1_000 - 0.002;
    for (const [i, capture] of captures.entries()) {
      await capture.stop();
      const [side, vip] = i === 0 ? (['lan', lanVip] as const) : (['wan', wanVip] as const);
      const { questions, claims } = await capturedArp(capture, await fw2.macOf(side), vip);
      expect(questions.some((time) => time < committedAt)).toBe(true);
      expect(claims.length).toBeGreaterThan(0);
      expect(claims.filter((time) => time < committedAt)).toEqual([]);
      const frames = await framesOfHosts(capture, [client, server]);
      expect(frames.length).toBeGreaterThan(0);
      expect(frames.filter((time) => time < committedAt)).toEqual([]);
    }
    const replaced = await fw2.conntrack('-L', '-p', 'tcp', '--orig-port-src', strayPort);
    expect(replaced).toContain(`dst=${wanVip}`);
    expect(replaced).not.toContain('dport=55555');
    expect(await fw1.hasAddress(lanVip)).toBe(true);
  });
});

/**
 * An entry of the backup's own for a replicated connection, with another translation: it would
 * break it.
 */
async function plantStray({ firewalls }: FirewallPair): Promise<string> {
  const table = await firewalls[0].conntrack('-L', '-p', 'tcp', '--dport', '7000');
  const port = /src=10\.1\.0\.10 dst=\S+ sport=(\d+)/.exec(table)?.[1];
  if (port === undefined) throw new Error(`no connection of the client in\n${table}`);
  await firewalls[1].exec([
    ...['conntrack', '-I', '-p', 'tcp', '--src', client, '--dst', server],
    ...['--sport', port, '--dport', '7000', '--state', 'ESTABLISHED', '--timeout', '600'],
    ...['--reply-src', server, '--reply-dst', wanVip],
    ...['--reply-port-src', '7000', '--reply-port-dst', '55555'],
  ]);
  return port;
}

function injectCommand(count: number): readonly string[] {
  return [
    ...typescriptCommand('test/support/conntrack/injectFlows.ts'),
    ...[String(count), '--keep', '--nat', wanVip, '--timeout', '300'],
  ];
}

const acceptingRuleset = `flush ruleset
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
  }
}
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.1.0.0/24 oifname "wan" snat to ${wanVip}
  }
}
`;
