/**
 * A third keepstate in the multicast group of a pair that names no `sync_peer`, and that is heard
 * before the peer is: the pair keeps every flow through two crashes, and names the third.
 */
import { firewallPair, pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { typescriptCommand } from '../../lab/runTypescript.js';
import { sleep, waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

const flows = 500;
const rounds = process.env['KEEPSTATE_FULL'] === '1' ? 10 : 1;
const third = '10.3.0.66';

jest.setTimeout(120_000 + rounds * 180_000);

const inGroup = (config: string, own: string): string =>
  config.replace(
    /\n {2}UDP \{[^}]*\}/,
    `
  Multicast {
    IPv4_address 225.0.0.50
    IPv4_interface ${own}
    Group 3780
    Interface sync
    Checksum on
  }`,
  );

describe.each(['FTFW', 'NOTRACK'] as const)('three speakers, %s', (mode) => {
  let lab: Lab;
  let nodes: readonly [KeepstateNode, KeepstateNode, KeepstateNode];

  beforeEach(async () => {
    lab = await Lab.open();
    const pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    const [stranger] = (await lab.hosts('stranger')) as [Host];
    await pair.sync.attach(stranger, 'sync', [`${third}/24`]);
    const [one, two] = pairAddresses.sync;
    const alone = pairConfig({ index: 0, mode }).replace(
      /\nvrrp_instance[^]*?\n}\n(?=\nSync|Sync)/,
      '\n',
    );
    expect(alone).not.toContain('vrrp_instance');
    nodes = [
      new KeepstateNode(fw1, inGroup(pairConfig({ index: 0, mode }), one)),
      new KeepstateNode(fw2, inGroup(pairConfig({ index: 1, mode }), two)),
      new KeepstateNode(stranger, inGroup(alone.replaceAll('fw1', 'third'), third)),
    ];
    // Each of the pair hears the third before the other.
    await nodes[2].start();
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER');
    await sleep(3_000);
    await nodes[1].start();
    await nodes[1].waitForRole('BACKUP');
  });

  afterEach(async () => {
    await lab.close();
  });

  const kernelFlows = async (node: KeepstateNode): Promise<number> =>
    Number(await node.host.exec(['conntrack', '-C']));

  test(`the pair keeps ${flows} flows through two crashes, ${rounds} times, names the third, and is quiet between`, async () => {
    const [a, b] = nodes;
    await a.host.exec([
      ...typescriptCommand('test/support/conntrack/injectFlows.ts'),
      ...[String(flows), '--keep', '--nat', pairAddresses.wanVip, '--timeout', '36000'],
    ]);
    const sent = async (): Promise<number> =>
      Number(await a.host.exec(['cat', '/sys/class/net/sync/statistics/tx_bytes']));
    for (const node of [a, b]) {
      await node.waitForStatus(
        ({ sync }) => sync?.peer.refused?.some(({ address }) => address === third) === true,
        'the third by its address',
      );
    }
    await b.waitForStatus(
      ({ sync }) => (sync?.external.entries ?? 0) >= flows,
      `${flows} flows in the cache of the standby`,
    );
    // Nobody asks again and again for what only the third has.
    await sleep(3_000);
    const before = await sent();
    await sleep(10_000);
    expect((await sent()) - before).toBeLessThan(10 * 1_024);
    for (let round = 0; round < rounds; round++) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        await to.waitForStatus(
          ({ sync }) => (sync?.external.entries ?? 0) >= flows,
          `${flows} flows in the cache of the standby`,
        );
        await from.process.kill();
        // A power cut: its kernel forgets.
        await to.waitForRole('MASTER');
        await waitFor(async () => (await kernelFlows(to)) >= flows, { description: 'the flows' });
        await from.host.exec(['conntrack', '-F']);
        await from.host.tryExec(['ip', 'addr', 'flush', 'dev', 'lan', 'to', pairAddresses.lanVip]);
        await from.start();
      }
    }
    expect(await kernelFlows(a)).toBeGreaterThanOrEqual(flows);
  });
});
