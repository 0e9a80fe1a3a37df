import { pairAddresses } from '../../lab/firewallPair.js';
import { keepstateCluster, type KeepstateCluster } from '../../support/daemon/cluster.js';

jest.setTimeout(300_000);

const { lanVip, wan, wanVip } = pairAddresses;

/**
 * MASQUERADE picks the address of the outgoing interface that fits the way: the WAN VIP, because
 * the own addresses there are of another network. The kernel destroys such flows with the address,
 * and with the interface.
 */
describe('MASQUERADE to a VIP', () => {
  let cluster: KeepstateCluster;

  beforeAll(async () => {
    cluster = await keepstateCluster({
      instances: 'one',
      instanceLines: ['track_interface {\n    wan\n  }'],
    });
    for (const [i, firewall] of cluster.pair.firewalls.entries()) {
      await firewall.ip(
        `address add 192.168.77.${i + 1}/24 dev wan`,
        `address del ${wan[i] ?? ''}/24 dev wan`,
      );
      await firewall.nft(masquerade);
    }
    // An address that goes takes those of its network along: the daemons put the VIP back.
    await cluster.waitForVips(0, [lanVip, wanVip]);
  });

  afterAll(async () => {
    await cluster.close();
  });

  test('a clean stop removes the VIP and the kernel its flows, but not those at the peer', async () => {
    await cluster.surviving(async () => {
      const [first, second] = cluster.nodes;
      await first.stop();
      expect(await translatedFlows(cluster, 0)).toBe(0);
      await second.waitForRole('MASTER');
      expect(await translatedFlows(cluster, 1)).toBeGreaterThan(0);
      await first.start();
      await cluster.waitForRoles();
    });
  });

  test('the link is set down: the flows that this destroys go on at the peer', async () => {
    await cluster.surviving(async () => {
      const [first, second] = cluster.nodes;
      await first.host.ip('link set wan down');
      await second.waitForRole('MASTER');
      expect(await translatedFlows(cluster, 0)).toBe(0);
      expect(await translatedFlows(cluster, 1)).toBeGreaterThan(0);
      await first.host.ip('link set wan up');
      await cluster.waitForRoles();
    });
  });
});

async function translatedFlows({ pair }: KeepstateCluster, index: 0 | 1): Promise<number> {
  const table = await pair.firewalls[index].conntrack('-L', '-p', 'tcp', '--dport', '7000');
  // Connections of before end in TIME_WAIT, which says nothing here.
  return table
    .split('\n')
    .filter((line) => line.includes('ESTABLISHED') && line.includes(`dst=${wanVip}`)).length;
}

const masquerade = `table ip nat {}
delete table ip nat
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    ip saddr 10.1.0.0/24 oifname "wan" masquerade
  }
}
`;
