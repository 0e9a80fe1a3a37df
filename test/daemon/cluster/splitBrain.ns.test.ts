import type { HistoryEntry } from '../../../src/control/statusAnswer.js';
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { startTcp } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import { keepstateCluster, type KeepstateCluster } from '../../support/daemon/cluster.js';
import type { KeepstateClusterNode } from '../../support/daemon/clusterNode.js';
import { announcementsFrom } from '../../support/daemon/takeoverCapture.js';

jest.setTimeout(300_000);

const { server, lanVip, wanVip } = pairAddresses;

describe('two masters', () => {
  let cluster: KeepstateCluster;

  beforeEach(async () => {
    cluster = await keepstateCluster();
    await cluster.dropInvalidInput();
  });

  afterEach(async () => {
    await cluster.close();
  });

  // Who hears first decides whether the stronger one learns of the other from VRRP or from the
  // other itself.
  test.each([
    ['the weaker hears first, and gives way unheard', 1, /^fw2 was MASTER too, for /],
    ['the stronger hears first', 0, /^10\.[12]\.0\.2 was MASTER too, with /],
  ] as const)(
    'VRRP is cut on both segments and healed, %s: connections of before and of both sides survive',
    async (_name, hearsFirst, story) => {
      const [first, second] = cluster.nodes;
      const { client, firewalls } = cluster.pair;
      const before = await startTcp(client, { server, count: 10 });
      await second.waitForReplica(10);
      // A slow start can have had its own.
      const lived = [await lengthOf(first), await lengthOf(second)] as const;

      for (const firewall of firewalls) await firewall.loseInput(100, 'ip protocol vrrp');
      await second.waitForRole('MASTER');
      expect((await first.daemon.status()).role).toBe('MASTER');
      // Fixed: second blocks of gratuitous ARP of either come at any time.
      await leadTo(cluster, firewalls[1], 'permanent');
      const atSecond = await startTcp(client, { server, count: 10 });
      await leadTo(cluster, firewalls[0], 'permanent');
      const atFirst = await startTcp(client, { server, count: 10 });
      // The loser's side until the survivor announces itself.
      await leadTo(cluster, firewalls[1], 'reachable');

      const capture = await client.capture('eth0', { filter: 'arp' });
      await firewalls[hearsFirst].loseInput(0);
      if (hearsFirst === 0) await knowsOfSplit(first, lived[0]);
      else await second.waitForRole('BACKUP');
      await firewalls[1 - hearsFirst]?.loseInput(0);
      await cluster.waitForRoles();
      const mac = await firewalls[0].macOf('lan');
      await waitFor(async () => (await announcementsFrom(capture, mac, lanVip)).length > 0, {
        description: 'gratuitous ARP from the survivor',
      });
      if (hearsFirst === 1) await knowsOfSplit(first, lived[0]);
      for (const [name, tcp] of Object.entries({ before, atSecond, atFirst })) {
        const kept = { name, survivors: 10, resets: 0, mismatches: 0 };
        expect({ name, ...(await tcp.finish()) }).toMatchObject(kept);
      }

      const isSplit = ({ kind }: HistoryEntry): boolean => kind === 'sync';
      expect(await tellsTheStory(first, lived[0], isSplit, story)).toHaveLength(1);
      const isLoss = ({ kind, to }: HistoryEntry): boolean => kind === 'group' && to === 'BACKUP';
      expect(
        await tellsTheStory(second, lived[1], isLoss, /has the higher priority 150/),
      ).toHaveLength(1);
      expect((await second.daemon.status()).reason).toContain('higher priority');
    },
  );
});

async function lengthOf(node: KeepstateClusterNode): Promise<number> {
  return (await node.daemon.history()).length;
}

/** It tells of it in its history, after the first `after` lines, and in its status. */
async function knowsOfSplit(node: KeepstateClusterNode, after: number): Promise<void> {
  await waitFor(
    async () => (await node.daemon.history()).slice(after).some(({ kind }) => kind === 'sync'),
    { description: `${node.host.name} to know of the other master` },
  );
  const { problems } = await node.daemon.status();
  expect(problems.map(({ code }) => code)).toContain('two-masters');
}

/**
 * The last of these lines of its history is about the split, with its cause and what was merged.
 */
async function tellsTheStory(
  node: KeepstateClusterNode,
  after: number,
  isWanted: (entry: HistoryEntry) => boolean,
  because: RegExp,
): Promise<readonly HistoryEntry[]> {
  const lines = async (): Promise<readonly HistoryEntry[]> =>
    (await node.daemon.history()).slice(after).filter(isWanted);
  await waitFor(async () => (await lines()).at(-1)?.flowsMerged !== undefined, {
    description: `what was merged in the history of ${node.host.name}`,
  });
  const all = await lines();
  const told = { because: expect.stringMatching(because) as string };
  expect(all.at(-1)).toMatchObject({ ...told, flowsMerged: 10, flowsFailed: 0 });
  return all;
}

/**
 * Both ends send to `firewall` from now on, whoever announced itself last; `permanent`: whatever is
 * announced later.
 */
async function leadTo(
  { pair }: KeepstateCluster,
  firewall: Host,
  state: 'permanent' | 'reachable',
): Promise<void> {
  const ends = [
    [pair.client, lanVip, 'lan'],
    [pair.server, wanVip, 'wan'],
  ] as const;
  for (const [host, vip, side] of ends) {
    const mac = await firewall.macOf(side);
    await host.ip(`neigh replace ${vip} lladdr ${mac} dev eth0 nud ${state}`);
  }
}
