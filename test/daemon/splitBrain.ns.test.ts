import { pairAddresses } from '../lab/firewallPair.js';
import type { Host } from '../lab/host.js';
import { startTcp } from '../lab/traffic.js';
import { waitFor } from '../lab/waitFor.js';
import { keepstateCluster, type KeepstateCluster } from '../support/cluster.js';
import { announcementsFrom } from '../support/takeoverCapture.js';

jest.setTimeout(300_000);

const { server, lanVip, wanVip } = pairAddresses;

describe('two masters', () => {
  let cluster: KeepstateCluster;

  beforeAll(async () => {
    cluster = await keepstateCluster();
  });

  afterAll(async () => {
    await cluster.close();
  });

  test('VRRP is cut on both segments and healed: connections of before and of both sides survive', async () => {
    const [first, second] = cluster.nodes;
    const { client, firewalls } = cluster.pair;
    await cluster.dropInvalidInput();
    const before = await startTcp(client, { server, count: 10 });
    await second.waitForReplica(10);

    for (const firewall of firewalls) await firewall.loseInput(100, 'ip protocol vrrp');
    await second.waitForRole('MASTER');
    expect((await first.daemon.status()).role).toBe('MASTER');
    // fw2 was the last to announce itself: its side first.
    const atSecond = await startTcp(client, { server, count: 10 });
    await leadTo(cluster, firewalls[0]);
    const atFirst = await startTcp(client, { server, count: 10 });

    const capture = await client.capture('eth0', { filter: 'arp' });
    for (const firewall of firewalls) await firewall.loseInput(0);
    await cluster.waitForRoles();
    const mac = await firewalls[0].macOf('lan');
    await waitFor(async () => (await announcementsFrom(capture, mac, lanVip)).length > 0, {
      description: 'gratuitous ARP from the survivor',
    });
    for (const tcp of [before, atSecond, atFirst]) {
      expect(await tcp.finish()).toMatchObject({ survivors: 10, resets: 0, mismatches: 0 });
    }

    const story = (await first.daemon.history()).map((entry) => entry.because).join('\n');
    expect(story).toContain(pairAddresses.lan[1]);
    expect((await second.daemon.history()).at(-1)).toMatchObject({ to: 'BACKUP' });
    expect((await second.daemon.status()).reason).toContain('higher priority');
  });
});

/** Both ends send to `firewall` from now on, whoever announced itself last. */
async function leadTo({ pair }: KeepstateCluster, firewall: Host): Promise<void> {
  const ends = [
    [pair.client, lanVip, 'lan'],
    [pair.server, wanVip, 'wan'],
  ] as const;
  for (const [host, vip, side] of ends) {
    const mac = await firewall.macOf(side);
    await host.ip(`neigh replace ${vip} lladdr ${mac} dev eth0 nud reachable`);
  }
}
