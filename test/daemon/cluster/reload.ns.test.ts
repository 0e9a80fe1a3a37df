import type { Capture } from '../../lab/capture.js';
import { pairAddresses } from '../../lab/firewallPair.js';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { waitFor } from '../../lab/waitFor.js';
import {
  clusterConfig,
  keepstateCluster,
  type KeepstateCluster,
} from '../../support/daemon/cluster.js';
import { expectSurvival } from '../../support/daemon/clusterTraffic.js';
import { announcementsFrom } from '../../support/daemon/takeoverCapture.js';

jest.setTimeout(300_000);

const { lan, lanVip, wanVip } = pairAddresses;
const settings = { instanceLines: ['garp_master_delay 1'] };

describe('reload under traffic', () => {
  let cluster: KeepstateCluster;

  beforeAll(async () => {
    cluster = await keepstateCluster(settings);
    // The second block of announcements is out.
    await cluster.nodes[0].daemon.waitForAge(2_500);
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
    const captures = await captureArp(cluster);
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
    const mac = await first.host.macOf('lan');
    expect((await announcementsFrom(captures[0], mac, '10.1.0.253')).length).toBeGreaterThan(0);
    expect(await announcements(cluster, captures)).toEqual([]);
    expectSurvival(await traffic.finish(), traffic.amounts);
  });
});

interface Change {
  readonly name: string;
  readonly edit: (config: string, index: 0 | 1) => string;
  /** In the answer to the reload. */
  readonly answer: string;
  /** What `status` of that node shows once it is in effect, and no longer shows afterwards. */
  readonly shows: (status: StatusAnswer) => boolean;
}

const changes: readonly Change[] = [
  {
    name: 'an instance more in the group',
    edit: withThirdInstance,
    answer: 'applied',
    shows: ({ role, instances }) =>
      instances.some(({ name, state }) => name === 'THIRD' && state === role),
  },
  {
    name: 'a VIP more',
    edit: withFurtherVip,
    answer: 'applied',
    shows: ({ role, instances }) =>
      instances.some(({ vips }) =>
        vips.some((vip) => vip.address === '10.1.0.253/24' && vip.present === (role === 'MASTER')),
      ),
  },
  {
    name: 'another priority',
    edit: (config, index) =>
      index === 0
        ? config.replaceAll('priority 150', 'priority 160')
        : config.replaceAll('priority 100', 'priority 90'),
    answer: 'applied',
    shows: ({ instances }) =>
      instances.every(({ priority }) => priority === 160 || priority === 90),
  },
  {
    name: 'a Sync block that starts the engine afresh',
    edit: (config) => config.replace('HashLimit 131072', 'HashLimit 262144'),
    answer: 'started afresh',
    shows: ({ sync }) => sync?.internal.limit === 262_144,
  },
  {
    name: 'a broken file',
    edit: (config) => config.replace('priority 1', 'priority one'),
    answer: 'refused',
    shows: () => false,
  },
];

/** Each change alone, on one node, and back again; under one set of connections each. */
if (process.env['KEEPSTATE_FULL'] === '1') {
  describe.each([
    ['MASTER', 0],
    ['BACKUP', 1],
  ] as const)('a reload of the %s alone, and back, disturbs nobody', (_role, index) => {
    let cluster: KeepstateCluster;

    beforeAll(async () => {
      cluster = await keepstateCluster(settings);
      await cluster.nodes[0].daemon.waitForAge(2_500);
    });

    afterAll(async () => {
      await cluster.close();
    });

    const reload = async (text: string): Promise<string> => {
      const { daemon } = cluster.nodes[index];
      daemon.writeConfig(text);
      return JSON.stringify(await daemon.ask({ verb: 'reload' }));
    };

    /** Roles and their beginning, of all that was there before the change. */
    const lives = (): Promise<unknown> =>
      Promise.all(
        cluster.nodes.map(async ({ daemon }) => {
          const { role, since, instances } = await daemon.status();
          const old = instances.filter(({ name }) => name !== 'THIRD');
          const told = (await daemon.history()).filter(({ name }) => name !== 'THIRD');
          return { role, since, instances: old.map((one) => [one.state, one.since]), told };
        }),
      );

    /** Adverts of the new settings were heard, and both hold the same flows. */
    const agreed = async (): Promise<void> => {
      await cluster.nodes[1].daemon.waitForAdverts(2, ['LAN', 'WAN']);
      for (const { daemon } of cluster.nodes) {
        await daemon.waitForStatus((one) => one.sync?.parity === 'equal', 'parity');
      }
    };

    test.each(changes)('$name', async ({ edit, answer, shows }) => {
      const { daemon } = cluster.nodes[index];
      const traffic = await cluster.startTraffic();
      await cluster.nodes[1].waitForReplica(traffic.flows);
      const captures = await captureArp(cluster);
      const before = await lives();
      const good = clusterConfig(index, settings);
      const changed = edit(good, index);
      expect(changed).not.toBe(good);
      expect(await reload(changed)).toContain(answer);
      if (answer !== 'refused') await daemon.waitForStatus(shows, 'the change to be in effect');
      await agreed();
      expect(await reload(good)).toContain('"answer"');
      await daemon.waitForStatus((one) => !shows(one), 'the change to be gone');
      await agreed();
      expect(await lives()).toEqual(before);
      expect(await announcements(cluster, captures)).toEqual([]);
      await Promise.all(captures.map((capture) => capture.stop()));
      expectSurvival(await traffic.finish(), traffic.amounts);
    });
  });
}

type ArpCaptures = readonly [lan: Capture, wan: Capture];

async function captureArp({ pair }: KeepstateCluster): Promise<ArpCaptures> {
  return [
    await pair.client.capture('eth0', { filter: 'arp' }),
    await pair.server.capture('eth0', { filter: 'arp' }),
  ];
}

/** Gratuitous ARP for the addresses that no change touches, of either node. */
async function announcements(
  { nodes }: KeepstateCluster,
  [lanSide, wanSide]: ArpCaptures,
): Promise<readonly number[]> {
  const found = nodes.map(async ({ host }) => [
    ...(await announcementsFrom(lanSide, await host.macOf('lan'), lanVip)),
    ...(await announcementsFrom(wanSide, await host.macOf('wan'), wanVip)),
  ]);
  return (await Promise.all(found)).flat();
}

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
