/**
 * Flows that no event told of, and an internal cache that somebody emptied: both caches hold them
 * again by themselves, status says «equal» no sooner, and a planned hand-over takes them along.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { ConntrackInjector } from '../../support/conntrack/ctInjector.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

const full = process.env['KEEPSTATE_FULL'] === '1';

jest.setTimeout(full ? 3_600_000 : 600_000);

const rounds = full ? 20 : 1;
const generous = { timeout: 120_000 };

describe('flows that the internal cache lacks', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const options = {
      advertSeconds: 3,
      generalLines: [
        'NetlinkEventsReliable on',
        ...(full ? ['NetlinkBufferSize 1048576', 'NetlinkBufferSizeMaxGrowth 1048576'] : []),
      ],
    };
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0, ...options })),
      new KeepstateNode(fw2, pairConfig({ index: 1, ...options })),
    ];
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER', generous);
    await nodes[0].waitForStatus(isEqual, 'two equal nodes', generous);
  });

  afterAll(async () => {
    await lab.close();
  });

  function inject(action: 'create' | 'delete', count: number): void {
    const injector = ConntrackInjector.open(nodes[0].host.namespacePath);
    injector.inject({ action, count, timeoutSeconds: 3_000 });
    injector.close();
  }

  const isEqual = ({ sync }: StatusAnswer): boolean =>
    sync?.state === 'synchronised' && sync.parity === 'equal';
  const held = (status: StatusAnswer, cache: 'internal' | 'external'): number =>
    status.sync?.[cache].entries ?? -1;

  /**
   * Both nodes are watched until both caches hold `count` flows and say so. From the moment at
   * which the loss is noticed (`overruns` moves) nobody may say «equal» before; the other node's
   * figures count a second later.
   */
  async function expectTruth(count: number, overruns = Infinity): Promise<void> {
    const early: string[] = [];
    let noticedAt = Infinity;
    const look = (status: StatusAnswer, cache: 'internal' | 'external', since: number): boolean => {
      const isWhole = held(status, cache) === count;
      const readAt = Date.now() - (status.sync?.ageMs ?? 0);
      if (!isWhole && isEqual(status) && readAt > since) early.push(JSON.stringify(status.sync));
      return isWhole && isEqual(status);
    };
    await waitFor(
      async () => {
        const master = await nodes[0].status();
        if ((master.sync?.overruns ?? 0) > overruns) noticedAt = Math.min(noticedAt, Date.now());
        const isMasterWhole = look(master, 'internal', noticedAt);
        return look(await nodes[1].status(), 'external', noticedAt + 1_000) && isMasterWhole;
      },
      { ...generous, interval: 20, description: `${count} flows on both nodes, said to be equal` },
    );
    expect(early).toEqual([]);
  }

  test(`reliable events: the daemon gets no CPU while flows appear that make no further event (${rounds} times)`, async () => {
    const [master] = nodes;
    const count = full ? 100_000 : 20_000;
    for (let round = 0; round < rounds; round++) {
      const before = (await master.status()).sync?.overruns ?? 0;
      const busy = full
        ? [0, 1].map(() => master.host.start(['sh', '-c', 'while :; do :; done']))
        : [];
      if (!full) master.process.signal('SIGSTOP');
      inject('create', count);
      if (!full) master.process.signal('SIGCONT');
      await expectTruth(count, before);
      for (const loop of busy) await loop.stop();
      inject('delete', count);
      await expectTruth(0);
    }
    const { sync } = await master.status();
    expect(sync?.overruns).toBeGreaterThan(0);
  });

  test('an internal cache that was emptied is filled again, and a hand-over takes all flows along', async () => {
    const [master, backup] = nodes;
    const count = 200;
    inject('create', count);
    await expectTruth(count);
    expect(await master.ask({ verb: 'sync', action: 'flush', cache: 'internal' })).toMatchObject({
      kind: 'answer',
    });
    // At once: what the hand-over finds is an empty cache, or one that is being filled.
    const outcome = await master.ask({ verb: 'failover', force: false }, 60);
    expect(outcome.kind).toBe('answer');
    await backup.waitForRole('MASTER', generous);
    const listed = await backup.host.conntrack('-L', '-p', 'tcp');
    expect(listed.split('tcp ').length - 1).toBe(count);
    const { sync } = await master.waitForStatus(
      ({ sync: one }) => one?.peer.holds?.internal === count && one.external.entries === count,
      'the new MASTER to tell its flows',
      generous,
    );
    expect(sync?.kernel?.flows).toBeGreaterThanOrEqual(count);
  });

  test('without a hand-over too, and the peer’s emptied cache as well', async () => {
    const [, master] = nodes;
    for (const [node, cache] of [
      [nodes[1], 'internal'],
      [nodes[0], 'external'],
    ] as const) {
      await node.ask({ verb: 'sync', action: 'flush', cache });
      await waitFor(
        async () =>
          held(await nodes[1].status(), 'internal') === 200 &&
          held(await nodes[0].status(), 'external') === 200 &&
          isEqual(await nodes[0].status()),
        { ...generous, description: `the ${cache} cache to be whole` },
      );
    }
    expect((await master.status()).problems).toEqual([]);
  });
});
