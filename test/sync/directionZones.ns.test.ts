/**
 * Zones of one direction (`ct original zone set`) between two keepstates: connections survive a
 * takeover each way, and the caches are equal. A conntrackd 1.4.7 takes the message in which the
 * zone stands.
 */
import { mkdirSync } from 'node:fs';
import { Conntrackd } from '../lab/conntrackd.js';
import {
  firewallPair,
  firewallRuleset,
  pairAddresses,
  type FirewallPair,
} from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import { startServer, startTcp } from '../lab/traffic.js';
import { waitFor } from '../lab/waitFor.js';
import { everyProtocolConfig } from '../support/sync/conntrackdConfig.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(120_000);

const { server, sync } = pairAddresses;

const zones = `
table inet zones {
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "lan" ct original zone set 5
  }
}
`;

type Index = 0 | 1;

describe('zones of one direction', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: [SyncNode, SyncNode];
  let epoch = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab, { bare: true });
    for (const firewall of pair.firewalls) {
      await firewall.nft(firewallRuleset() + zones);
      await firewall.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 0 });
    }
    nodes = [await start(0), await start(1)];
    await takesOver(0);
    await startServer(pair.server);
  });

  afterAll(async () => {
    await lab.close();
  });

  function start(index: Index): Promise<SyncNode> {
    const link = {
      kind: 'udp',
      local: sync[index],
      destination: sync[index === 0 ? 1 : 0],
    } as const;
    // Without the nodes' own flows, which have no zone.
    const filter = { from: 'userspace', protocol: { policy: 'accept', entries: [6] } } as const;
    return SyncNode.start(
      pair.firewalls[index],
      settingsOf([{ ...link, interfaceName: 'sync' }], { filter }),
    );
  }

  async function takesOver(index: Index): Promise<void> {
    epoch++;
    const before = nodes[index].reports('committed').length;
    nodes[1 - index]?.command({ kind: 'becomeBackup', epoch, peerHeard: true });
    nodes[index].command({ kind: 'becomeMaster', epoch, preCommitted: false });
    expect(await nodes[index].waitForReport('committed', before)).toMatchObject({ failed: 0 });
    nodes[index].command({ kind: 'takeoverComplete', epoch });
    await pair.takeVips(index);
  }

  test.each([
    [0, 1],
    [1, 0],
  ] as const)(
    'connections survive a takeover from %i to %i, and parity is equal',
    async (from, to) => {
      // Idle meanwhile: what reaches the old firewall between the moves of the two VIPs is its own
      // affair.
      const traffic = await startTcp(pair.client, { server, count: 20, intervalMilliseconds: 0 });
      await waitFor(
        async () => {
          const [own, peers] = [await nodes[from].digest(), await nodes[to].digest()];
          return (own.internal[0] ?? 0) >= 20 && own.internal.join() === peers.external.join();
        },
        { description: 'equal caches', timeout: 30_000 },
      );
      await waitFor(() => nodes[to].status?.parity === 'equal', { description: 'parity' });
      await takesOver(to);
      const kernel = await pair.firewalls[to].conntrack(
        '-L',
        '-p',
        'tcp',
        '--state',
        'ESTABLISHED',
      );
      expect(kernel.split('zone-orig=5').length - 1).toBe(20);
      expect(kernel).not.toContain(' zone=');
      expect(await traffic.finish()).toMatchObject({ established: 20, survivors: 20, resets: 0 });
    },
  );

  test('a conntrackd takes the flow, without the zone', async () => {
    await nodes[1].stop();
    const directory = pair.firewalls[1].path('conntrackd');
    mkdirSync(directory);
    const config = everyProtocolConfig(
      {
        mode: 'FTFW',
        kind: 'udp',
        local: sync[1],
        destination: sync[0],
        interfaceName: 'sync',
        ignored: ['127.0.0.1', ...sync],
      },
      directory,
    );
    const conntrackd = await Conntrackd.startWithConfig(pair.firewalls[1], config, directory);
    const flow =
      '-p tcp -s 192.168.7.7 -d 198.51.100.1 --sport 1 --dport 2 -t 600 --state ESTABLISHED';
    await pair.firewalls[0].exec(`conntrack -I ${flow} --orig-zone 7`.split(' '));
    await waitFor(async () => (await conntrackd.client('-e')).includes('src=192.168.7.7'), {
      description: 'the flow at conntrackd',
      timeout: 30_000,
    });
    await waitFor(() => (nodes[0].status?.peer.directionZonesSent ?? 0) > 0, {
      description: 'a count of what the conntrackd has without its zone',
    });
    expect(await conntrackd.client('-s', 'network')).toMatch(/Malformed payload:\s+0/);
    await conntrackd.stop();
  });
});
