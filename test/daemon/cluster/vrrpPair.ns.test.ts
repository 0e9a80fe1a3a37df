import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

describe('two nodes without a Sync block', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0, withoutSync: true })),
      new KeepstateNode(fw2, pairConfig({ index: 1, withoutSync: true })),
    ];
    await Promise.all(nodes.map((node) => node.start()));
  });

  afterAll(async () => {
    await lab.close();
  });

  test('the higher priority is MASTER with its VIPs, and status says so on both', async () => {
    const status = await masterWithVips(nodes[0]);
    expect(status.instances[0]).toMatchObject({
      name: 'GATEWAY',
      state: 'MASTER',
      vrid: 51,
      priority: 150,
      vips: [
        { address: `${pairAddresses.lanVip}/24`, present: true, interface: 'lan' },
        { address: `${pairAddresses.wanVip}/24`, present: true, interface: 'wan' },
      ],
    });
    expect(status.sync).toBeUndefined();
    const other = await nodes[1].waitForStatus(
      (one) => one.role === 'BACKUP' && one.instances[0]?.peer?.priority === 150,
      'fw2 to hear fw1',
    );
    expect(other.instances[0]?.peer?.address).toBe(pairAddresses.lan[0]);
  });

  test('a clean stop hands over by priority 0, and the history tells it', async () => {
    await nodes[0].stop();
    await masterWithVips(nodes[1]);
    expect(await pair.firewalls[0].hasAddress(pairAddresses.lanVip)).toBe(false);
    expect(await pair.firewalls[1].hasAddress(pairAddresses.lanVip)).toBe(true);
    const entry = (await nodes[1].history()).at(-1);
    expect(entry).toMatchObject({ name: 'GATEWAY', from: 'BACKUP', to: 'MASTER' });
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
  });
});

/** Without a Sync block nothing waits for the addresses: they follow the role within a moment. */
function masterWithVips(node: KeepstateNode): ReturnType<KeepstateNode['waitForStatus']> {
  return node.waitForStatus(
    ({ role, instances }) =>
      role === 'MASTER' && instances.every(({ vips }) => vips.every(({ present }) => present)),
    'MASTER with its addresses',
  );
}
