import { pairAddresses } from '../lab/firewallPair.js';
import { sleep, waitFor } from '../lab/waitFor.js';
import { clusterConfig, keepstateCluster, type KeepstateCluster } from '../support/cluster.js';
import { expectSurvival } from '../support/clusterTraffic.js';
import { announcementsFrom } from '../support/takeoverCapture.js';

jest.setTimeout(300_000);

const { lan, lanVip, wanVip } = pairAddresses;
const settings = { instanceLines: ['garp_master_delay 1'] };

describe('reload under traffic', () => {
  let cluster: KeepstateCluster;

  beforeAll(async () => {
    cluster = await keepstateCluster(settings);
    // The second block of announcements is out.
    await sleep(2_500);
  });

  afterAll(async () => {
    await cluster.close();
  });

  /** Reloads both nodes with an edited file; gives the answers. */
  const reload = async (edit: (config: string, index: 0 | 1) => string): Promise<string[]> => {
    const answers: string[] = [];
    for (const index of [1, 0] as const) {
      const { daemon } = cluster.nodes[index];
      daemon.writeConfig(edit(clusterConfig(index, settings), index));
      answers.push(JSON.stringify(await daemon.ask({ verb: 'reload' })));
    }
    return answers;
  };

  test('what a change does not touch sends no announcement and keeps its role', async () => {
    const [first, second] = cluster.nodes;
    const traffic = await cluster.startTraffic();
    const captures = [
      await cluster.pair.client.capture('eth0', { filter: 'arp' }),
      await cluster.pair.server.capture('eth0', { filter: 'arp' }),
    ] as const;
    const lives = async (): Promise<readonly number[]> => [
      (await first.daemon.history()).filter(({ name }) => name !== 'THIRD').length,
      (await second.daemon.history()).filter(({ name }) => name !== 'THIRD').length,
    ];
    const before = await lives();

    // Another priority, which keeps the order.
    expect(await reload((text) => text.replace('priority 150', 'priority 160'))).toEqual([
      expect.stringContaining('"answer"'),
      expect.stringContaining('"answer"'),
    ]);
    await first.daemon.waitForStatus(
      (one) => one.instances[0]?.priority === 160,
      'the new priority',
    );
    // A VIP more, on one of the instances.
    await reload(withFurtherVip);
    await waitFor(() => first.host.hasAddress('10.1.0.253'), { description: 'the new VIP' });
    // Another instance in the group.
    await reload((text, index) => withThirdInstance(withFurtherVip(text), index));
    await first.daemon.waitForStatus(
      (one) => one.instances.some(({ name, state }) => name === 'THIRD' && state === 'MASTER'),
      'the new instance to be MASTER',
    );
    // The Sync block: adopted, or the engine afresh.
    const answers = await reload((text, index) =>
      withThirdInstance(withFurtherVip(text), index).replace('PurgeTimeout 5', 'PurgeTimeout 6'),
    );
    expect(answers.join()).toContain('sync engine: adopted');
    // A broken file changes nothing, and says where.
    const broken = await reload((text) => text.replace('priority 1', 'priority one'));
    expect(broken.join()).toContain('refused');
    await first.daemon.waitForStatus((one) => one.sync?.parity === 'equal', 'parity');

    expect(await lives()).toEqual(before);
    await cluster.waitForRoles();
    const macs = [await first.host.macOf('lan'), await first.host.macOf('wan')] as const;
    expect((await announcementsFrom(captures[0], macs[0], '10.1.0.253')).length).toBeGreaterThan(0);
    expect(await announcementsFrom(captures[0], macs[0], lanVip)).toEqual([]);
    expect(await announcementsFrom(captures[1], macs[1], wanVip)).toEqual([]);
    expectSurvival(await traffic.finish(), traffic.amounts);
  });
});

function withFurtherVip(text: string): string {
  return text.replace(`${lanVip}/24 dev lan`, `${lanVip}/24 dev lan\n    10.1.0.253/24 dev lan`);
}

function withThirdInstance(text: string, index: 0 | 1): string {
  return `${text.replace('    WAN\n', '    WAN\n    THIRD\n')}
vrrp_instance THIRD {
  interface lan
  virtual_router_id 53
  state BACKUP
  priority ${index === 0 ? 150 : 100}
  advert_int 1
  unicast_src_ip ${lan[index]}
  unicast_peer {
    ${lan[1 - index] ?? ''}
  }
  virtual_ipaddress {
    10.1.0.252/24 dev lan
  }
}
`;
}
