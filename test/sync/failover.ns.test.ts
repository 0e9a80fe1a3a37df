/**
 * Two keepstate engines with two links each: whatever happens to one link, the caches are equal in
 * the end.
 */
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { Churn, LinkPair, type LinkKind } from '../support/sync/linkPair.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const kinds: readonly LinkKind[] = isFull ? ['udp', 'tcp', 'multicast'] : ['udp', 'tcp'];
/** That live all the time, beside those that come and go. */
const standing = isFull ? 50_000 : 2_000;

describe.each(kinds)('two links over %s', (kind) => {
  let lab: Lab;
  let pair: LinkPair;
  let base = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await LinkPair.start(lab, kind);
    const injector = ConntrackInjector.open(pair.hosts[0].namespacePath);
    injector.inject({ count: standing, timeoutSeconds: 3_000 });
    injector.close();
  });

  afterAll(async () => {
    await lab.close();
  });

  /** Flows come and go while `fault` happens, and until `isOver`. */
  async function during(
    name: string,
    fault: () => Promise<unknown>,
    isOver: () => Promise<unknown>,
  ): Promise<void> {
    base += 100_000;
    const churn = new Churn(pair.hosts[0], base);
    try {
      await fault();
      await isOver();
    } finally {
      await churn.stop();
    }
    process.stdout.write(`${kind}, ${name}: equal after ${await pair.equal()} ms\n`);
  }

  test('the default link is used by both', async () => {
    await during(
      'start',
      () => Promise.resolve(),
      () => pair.bothUse('sync2'),
    );
    await pair.peerChannelWorks();
  });

  test('a smaller MTU is followed: nothing is fragmented', async () => {
    const fragments = async (): Promise<string | undefined> =>
      /IpFragCreates +(\d+)/.exec(await pair.hosts[0].exec(['nstat', '-az', 'IpFragCreates']))?.[1];
    // What is sent in the moment before the news is fragmented: no bulk may be under way.
    await waitFor(() => pair.nodes[1].status?.parity === 'equal', { description: 'quiet' });
    const before = await fragments();
    for (const host of pair.hosts) await host.ip('link set sync2 mtu 700');
    await pair.nodes[0].request({ verb: 'bulk' });
    await during(
      'smaller MTU',
      () => pair.nodes[0].request({ verb: 'bulk' }),
      () => pair.bothUse('sync2'),
    );
    expect(await fragments()).toBe(before);
  });

  test('carrier is lost: both go on over the other link, and the peer channel with them', async () => {
    await during(
      'carrier lost',
      () => pair.hosts[1].ip('link set sync2 down'),
      () => pair.bothUse('sync1'),
    );
    await pair.peerChannelWorks();
  });

  test('the first link is back: nobody returns to it', async () => {
    await during(
      'carrier back',
      () => pair.hosts[1].ip('link set sync2 up'),
      () => pair.bothUse('sync1'),
    );
  });

  test('the link is set down here', async () => {
    await during(
      'set down',
      () => pair.hosts[0].ip('link set sync1 down'),
      () => pair.bothUse('sync2'),
    );
    await pair.hosts[0].ip('link set sync1 up');
    await pair.peerChannelWorks();
  });

  test('a path that is dead in one direction although it has carrier', async () => {
    await during(
      'dead one way',
      () => pair.hosts[1].loseInput(100, 'iifname "sync2"'),
      () => pair.bothUse('sync1'),
    );
    await pair.hosts[1].loseInput(0);
    await pair.peerChannelWorks();
  });

  test('a peer that starts again meanwhile is met on a link', async () => {
    await during(
      'peer started again',
      () => pair.nodes[1].process.kill(),
      () => pair.startAgain(1),
    );
    await pair.peerChannelWorks();
  });
});
