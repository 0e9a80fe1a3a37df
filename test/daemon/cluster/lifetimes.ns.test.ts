/**
 * A planned hand-over while the MASTER tells its whole table once more: no flow's life gets shorter
 * by it.
 */
import { systemClock } from '../../../src/base/systemClock.js';
import { firewallPair, pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { typescriptCommand } from '../../lab/runTypescript.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

const rounds = process.env['KEEPSTATE_FULL'] === '1' ? 20 : 1;
const flows = 30_000;
const lifetimeSeconds = 86_400;
/** What may be lost: both kernels and both daemons count in whole seconds. */
const tolerance = 2;

jest.setTimeout(180_000 + rounds * 120_000);

describe('a planned hand-over during a bulk', () => {
  let lab: Lab;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    const { firewalls } = await firewallPair(lab);
    const [fw1, fw2] = firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0 })),
      new KeepstateNode(fw2, pairConfig({ index: 1 })),
    ];
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER', { timeout: 60_000 });
    await fw1.exec([
      ...typescriptCommand('test/support/conntrack/injectFlows.ts'),
      ...[String(flows), '--keep', '--nat', pairAddresses.wanVip],
      ...['--timeout', String(lifetimeSeconds)],
    ]);
  });

  afterAll(async () => {
    await lab.close();
  });

  test(`${rounds} times: each of ${flows} flows keeps what it had left`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [from, to] = round % 2 === 0 ? nodes : [nodes[1], nodes[0]];
      await from.waitForStatus(
        ({ sync }) => sync?.state === 'synchronised',
        'a synchronised peer',
        { timeout: 120_000 },
      );
      await to.waitForStatus(
        ({ sync }) => (sync?.external.entries ?? 0) >= flows,
        'the flows to be replicated',
        { timeout: 120_000 },
      );
      const lookedAt = systemClock.now();
      const before = await remaining(from.host);
      expect(before.size).toBe(flows);
      await lateInASecond();
      const bulk = from.ask({ verb: 'sync', action: 'bulk' }, 120);
      const handedOver = await from.ask({ verb: 'failover', force: false }, 120);
      expect(handedOver).toMatchObject({ kind: 'answer' });
      await to.waitForRole('MASTER', { timeout: 120_000 });
      expect(await bulk).toMatchObject({ kind: 'answer' });
      const after = await remaining(to.host);
      const passed = (systemClock.now() - lookedAt) / 1_000_000;
      const shortened = [...before].filter(
        ([key, seconds]) => (after.get(key) ?? 0) < seconds - passed - tolerance,
      );
      expect(shortened.slice(0, 5).map(([key]) => [key, after.get(key)])).toEqual([]);
    }
  });
});

/** Seconds that the kernel leaves to each injected flow, by its address and port. */
async function remaining(host: Host): Promise<ReadonlyMap<string, number>> {
  const table = await host.conntrack('-L', '-p', 'tcp', '--dport', '443');
  const pattern = /^tcp +6 (\d+) ESTABLISHED src=(\S+) dst=\S+ sport=(\d+)/gm;
  return new Map(
    [...table.matchAll(pattern)].map(([, seconds, source, port]) => [
      `${source ?? ''}:${port ?? ''}`,
      Number(seconds),
    ]),
  );
}

/** A commit that begins now goes on in the next second, in which the peer's messages arrive. */
async function lateInASecond(): Promise<void> {
  await waitFor(() => systemClock.now() % 1_000_000 > 850_000, {
    description: 'the end of a second of the monotonic clock',
    interval: 5,
  });
}
