/** `failover --stay`: a role that was handed over for a restart stays at the peer after it. */
import { firewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

/** Advertisements in which a node that preempts would have done so. */
const adverts = 8;

describe('a hand-over before a restart', () => {
  let lab: Lab;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    const { firewalls } = await firewallPair(lab);
    nodes = [
      new KeepstateNode(firewalls[0], pairConfig({ index: 0 })),
      new KeepstateNode(firewalls[1], pairConfig({ index: 1 })),
    ];
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
  });

  afterAll(() => lab.close());

  const synchronised = (node: KeepstateNode): Promise<unknown> =>
    node.waitForStatus((one) => one.sync?.state === 'synchronised', 'a synchronised peer');
  const restart = async (node: KeepstateNode): Promise<void> => {
    await node.stop();
    await node.start();
    await synchronised(node);
  };

  test('keeps the higher priority from taking it back, until it is released', async () => {
    const [strong] = nodes;
    await synchronised(strong);
    const done = await strong.ask({ verb: 'failover', force: false, stay: true });
    expect(done).toMatchObject({ kind: 'answer' });
    await restart(strong);
    await strong.waitForAdverts(adverts, ['GATEWAY']);
    expect(await strong.status()).toMatchObject({ role: 'BACKUP', preemptionHeld: true });
    // Asked of a BACKUP, before its next restart, it holds as well.
    const again = await strong.ask({ verb: 'failover', force: false, stay: true });
    expect(again).toMatchObject({
      result: { message: expect.stringContaining('not MASTER') as string },
    });
    await restart(strong);
    await strong.waitForAdverts(adverts, ['GATEWAY']);
    expect(await strong.status()).toMatchObject({ role: 'BACKUP', preemptionHeld: true });
    await strong.ask({ verb: 'failoverRelease' });
    await strong.waitForRole('MASTER', { timeout: 60_000 });
  });

  test('comes back by priority with return_role on', async () => {
    const [strong, weak] = nodes;
    strong.writeConfig(pairConfig({ index: 0, globalLines: ['return_role on'] }));
    await strong.ask({ verb: 'reload' });
    await synchronised(strong);
    await strong.ask({ verb: 'failover', force: false, stay: true });
    await weak.waitForRole('MASTER');
    await restart(strong);
    await strong.waitForRole('MASTER', { timeout: 60_000 });
  });

  test('holds nothing back where the peer dies', async () => {
    const [strong, weak] = nodes;
    strong.writeConfig(pairConfig({ index: 0 }));
    await strong.ask({ verb: 'reload' });
    await synchronised(strong);
    await strong.ask({ verb: 'failover', force: false, stay: true });
    await restart(strong);
    await weak.stop();
    await strong.waitForRole('MASTER', { timeout: 60_000 });
    expect((await strong.status()).preemptionHeld).toBe(false);
  });
});
