import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const rounds = process.env['KEEPSTATE_FULL'] === '1' ? 20 : 4;

describe('planned hand-over between two keepstates', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0 })),
      new KeepstateNode(fw2, pairConfig({ index: 1 })),
    ];
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
  });

  afterAll(async () => {
    await lab.close();
  });

  test(`the role goes back and forth ${rounds} times and every connection survives`, async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 20 });
    const udp = await startUdpProbe(pair.client, pairAddresses.server);
    for (let round = 0; round < rounds; round++) {
      const from = nodes[round % 2 === 0 ? 0 : 1];
      const to = nodes[round % 2 === 0 ? 1 : 0];
      await from.waitForStatus((one) => one.sync?.state === 'synchronised', 'a synchronised peer');
      const outcome = await from.ask({ verb: 'failover', force: false });
      expect(outcome.kind).toBe('answer');
      await to.waitForRole('MASTER');
      const status = await from.waitForRole('BACKUP');
      expect(status.preemptionHeld).toBe(true);
    }
    expect(await tcp.finish()).toMatchObject({ survivors: 20, resets: 0, mismatches: 0 });
    // The pair's clean stop is silent for the skew time of 0.6 s at the least.
    expect((await udp.finish()).longestSilenceMilliseconds).toBeLessThan(600);
  });

  test('maintenance hands over, holds over a restart, and off ends it', async () => {
    await nodes[0].waitForRole('MASTER');
    await nodes[0].waitForStatus((one) => one.sync?.state === 'synchronised', 'the peer');
    const outcome = await nodes[0].ask({ verb: 'maintenance', on: true, force: false });
    expect(outcome.kind).toBe('answer');
    await nodes[1].waitForRole('MASTER');
    const isResting = (one: StatusAnswer): boolean => one.sync?.peer.maintenance === true;
    await nodes[1].waitForStatus(isResting, 'the peer to be in maintenance');
    await nodes[0].stop();
    await nodes[0].start();
    expect((await nodes[0].waitForRole('BACKUP')).maintenance).toBe(true);
    await nodes[1].waitForStatus(isResting, 'the peer to be in maintenance after its restart');
    await nodes[0].waitForStatus((one) => one.sync?.state === 'synchronised', 'the peer again');
    expect(await nodes[0].ask({ verb: 'maintenance', on: false, force: false })).toMatchObject({
      kind: 'answer',
    });
    await nodes[1].waitForStatus((one) => !isResting(one), "the end of the peer's maintenance");
    // The higher priority returns by itself.
    await nodes[0].waitForRole('MASTER', { timeout: 60_000 });
    await nodes[1].waitForRole('BACKUP');
  });

  test('a clean stop hands over without waiting for the skew time', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 10 });
    await nodes[0].waitForStatus(
      (one) => one.sync?.state === 'synchronised' && one.sync.peer.kind === 'keepstate',
      'a synchronised peer',
    );
    await nodes[0].stop();
    await nodes[1].waitForRole('MASTER');
    const entry = (await nodes[1].history()).filter((one) => one.to === 'MASTER').at(-1);
    expect(entry?.because).toBe('the peer handed the role over');
    expect(await tcp.finish()).toMatchObject({ survivors: 10, resets: 0 });
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER', { timeout: 60_000 });
    await nodes[1].waitForRole('BACKUP');
  });

  test('it is refused on the node that is not master, and without a peer', async () => {
    await nodes[0].waitForRole('MASTER');
    expect(await nodes[1].ask({ verb: 'failover', force: false })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'not-master' },
    });
    await nodes[1].stop();
    await nodes[0].waitForStatus((one) => one.sync?.state === 'peer-lost', 'the peer to be lost');
    expect(await nodes[0].ask({ verb: 'failover', force: false })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'peer-not-synchronised' },
    });
    // The hold ended with the peer: this node was MASTER by right, and stays it.
    expect((await nodes[0].status()).role).toBe('MASTER');
  });
});
