/**
 * FTFW beside a real conntrackd 1.4.7 over a link that loses datagrams both ways, while flows come
 * and go.
 */
import type { Host } from '../../lab/host.js';
import { waitFor } from '../../lab/waitFor.js';
import { createUdpFlows } from '../../support/sync/flows.js';
import { linesOf, MixedPair, type MixedPairOptions } from '../../support/sync/mixedPair.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const options: MixedPairOptions = { mode: 'FTFW', kind: 'udp', family: 4 };
const perRound = 30;

/** Flows come, and half of them go, while the link is bad; resolves when it is good again. */
async function churnUnderLoss(a: Host, b: Host, percent: number): Promise<void> {
  const firstPort = 1 + percent * 100;
  const sides = [
    [a, 50],
    [b, 60],
  ] as const;
  for (const [host] of sides) await host.loseInput(percent, 'udp dport 3780');
  await Promise.all(sides.map(([host, base]) => createUdpFlows(host, base, perRound, firstPort)));
  for (let i = 0; i < perRound; i += 2) {
    for (const [host, base] of sides) {
      const flow = `-D -p udp -s 192.168.${base}.20 --sport ${firstPort + i}`;
      await host.exec(['conntrack', ...flow.split(' ')]);
    }
  }
  for (const [host] of sides) await host.loseInput(0);
}

describe('a pair with conntrackd over a bad link', () => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start(options);
  });

  afterAll(async () => {
    await pair.close();
  });

  let flows = 0;
  test.each([5, 20, 50])('converges after loss of %d % of the datagrams', async (percent) => {
    await churnUnderLoss(pair.a, pair.b, percent);
    const goodSince = performance.now();
    flows += perRound / 2;
    await pair.agree(flows, flows, { timeout: 60_000 });
    const took = since(goodSince);
    const beside = isFull ? await conntrackdPair(percent) : '';
    process.stdout.write(
      `loss of ${percent} %: keepstate and conntrackd agree ${took} later${beside}\n`,
    );
    await pair.expectNothingMalformed();
  });

  /** The same with two conntrackds. */
  async function conntrackdPair(percent: number): Promise<string> {
    const other = await MixedPair.cable(options);
    try {
      const [first, second] = [await other.startConntrackd('a'), await other.startConntrackd()];
      await churnUnderLoss(other.a, other.b, percent);
      const goodSince = performance.now();
      const agreed = await waitFor(
        async () => {
          const held = linesOf(await second.entries('external'));
          const back = linesOf(await first.entries('external'));
          return held.length === perRound / 2 && back.length === perRound / 2;
        },
        { timeout: 20_000 },
      ).catch(() => false);
      return agreed
        ? `, two conntrackds ${since(goodSince)} later`
        : ', two conntrackds not within 20 s';
    } finally {
      await other.close();
    }
  }
});

function since(start: number): string {
  return `${Math.round(performance.now() - start)} ms`;
}
