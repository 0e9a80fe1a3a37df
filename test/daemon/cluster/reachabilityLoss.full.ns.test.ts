/**
 * A server that answers some probes of the MASTER and not others, for a minute, with the defaults:
 * the role does not go to and fro, and what `status` counts is what the server did.
 */
import type { StatusAnswer, TargetAddressStatus } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

/** A minute of the default interval. */
const probes = 59;
const target = `vrrp_track_target SERVER {
  icmp ${pairAddresses.server}
  interface wan
}`;

let lab: Lab;
let pair: FirewallPair;
let nodes: readonly [KeepstateNode, KeepstateNode];

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  const config = (index: 0 | 1): string =>
    `${pairConfig({ index, instanceLines: ['track_target {\n    SERVER\n  }'] })}\n${target}`;
  nodes = [
    new KeepstateNode(pair.firewalls[0], config(0)),
    new KeepstateNode(pair.firewalls[1], config(1)),
  ];
  await Promise.all(nodes.map((node) => node.start()));
  await nodes[0].waitForRole('MASTER');
});

afterAll(async () => {
  await lab.close();
});

/** The server drops so many percent of what fw1 asks, and counts. */
async function lose(percent: number): Promise<void> {
  const asked = `ip saddr ${pairAddresses.wan[0]} icmp type echo-request`;
  const rules = `${asked} numgen random mod 100 < ${percent} counter drop; ${asked} counter accept;`;
  await pair.server.nft(
    `table ip reach {}\ndelete table ip reach\ntable ip reach { chain c { type filter hook input priority 0; ${rules} }; }`,
  );
}

async function counted(): Promise<{ readonly dropped: number; readonly accepted: number }> {
  const text = await pair.server.exec(['nft', 'list', 'table', 'ip', 'reach']);
  const found = [...text.matchAll(/packets (\d+)/g)].map(([, n]) => Number(n));
  return { dropped: found[0] ?? 0, accepted: found[1] ?? 0 };
}

function addressOf({ targets }: StatusAnswer): TargetAddressStatus | undefined {
  return targets?.list[0]?.addresses[0];
}

test.each([20, 50])('%i %% loss at the MASTER: no flap, and the counts are right', async (loss) => {
  for (const node of nodes) {
    await node.waitForStatus(
      (status) => addressOf(status)?.state === 'good' && addressOf(status)?.lost === 0,
      'a minute without a loss',
      { timeout: 150_000 },
    );
  }
  const master = async (): Promise<number> => ((await nodes[0].status()).role === 'MASTER' ? 0 : 1);
  const before = await master();
  await lose(loss);
  const changes: number[] = [before];
  await waitFor(
    async () => {
      const now = await master();
      if (now !== changes.at(-1)) changes.push(now);
      const { dropped, accepted } = await counted();
      return dropped + accepted >= probes;
    },
    { description: `${probes} probes`, timeout: 200_000, interval: 500 },
  );
  const first = await counted();
  const address = addressOf(await nodes[0].status());
  const last = await counted();
  await lose(0);
  // One way at most: what has moved stays for the hold.
  expect(changes.length).toBeLessThanOrEqual(2);
  // The last probe may be on its way, and the window begins with probes of before.
  expect(address?.lost).toBeGreaterThanOrEqual(first.dropped - 1);
  expect(address?.lost).toBeLessThanOrEqual(last.dropped);
  expect(address?.answered).toBeGreaterThanOrEqual(first.accepted - 1);
  expect(address?.answered).toBeLessThanOrEqual(last.accepted + 3);
  expect(first.dropped).toBeGreaterThan(0);
});
