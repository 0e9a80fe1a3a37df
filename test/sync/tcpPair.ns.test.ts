/** Two keepstate engines over one TCP link: bursts, cuts, restarts, a peer that does not read. */
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { Churn, LinkPair } from '../support/sync/linkPair.js';
import type { SyncMode } from '../../src/sync/settings.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const modes: readonly SyncMode[] = isFull ? ['FTFW', 'NOTRACK', 'ALARM'] : ['FTFW', 'NOTRACK'];
const flows = isFull ? 50_000 : 10_000;

describe.each(modes)('%s over TCP', (mode) => {
  let lab: Lab;
  let pair: LinkPair;
  let base = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    const settings = { mode, refreshTimeSeconds: 3, cacheTimeoutSeconds: 20 };
    pair = await LinkPair.start(lab, 'tcp', settings, 1);
  });

  afterAll(async () => {
    await lab.close();
  });

  function inject(count: number, first: number): void {
    const injector = ConntrackInjector.open(pair.hosts[0].namespacePath);
    injector.inject({ count, base: first, action: 'create', timeoutSeconds: 3_000 });
    injector.close();
  }

  async function during(name: string, fault: () => Promise<unknown>): Promise<void> {
    base += 100_000;
    const churn = new Churn(pair.hosts[0], base);
    try {
      await fault();
    } finally {
      await churn.stop();
    }
    process.stdout.write(`${mode}, ${name}: equal after ${await pair.equal()} ms\n`);
  }

  test('a burst arrives, and both know that they hold the same', async () => {
    inject(flows, 10_000_000);
    await pair.equal();
    if (mode !== 'ALARM') await waitFor(() => pair.nodes[1].status?.parity === 'equal');
    expect(pair.nodes[1].status?.peer).toMatchObject({ malformed: 0, strangers: 0 });
    expect(pair.nodes[1].status?.links[0]).toMatchObject({ isSending: true, isReceiving: true });
  });

  test('a link that is cut while flows come and go', async () => {
    await during('cut', async () => {
      await pair.hosts[1].ip('link set sync1 down');
      await waitFor(async () => {
        await pair.nodes[0].request({ verb: 'stats' });
        return pair.nodes[0].status?.links[0]?.isSending === false;
      });
      await pair.hosts[1].ip('link set sync1 up');
    });
  });

  test('a peer that is killed and comes again', async () => {
    await during('restart', async () => {
      await pair.nodes[1].process.kill();
      await pair.startAgain(1);
    });
  });

  test('a peer that does not read for a while costs no memory and gets everything', async () => {
    const before = await pair.nodes[0].digest();
    await during('deaf peer', async () => {
      pair.nodes[1].process.signal('SIGSTOP');
      inject(flows, 20_000_000);
      const held = await waitFor(async () => {
        const now = await pair.nodes[0].digest();
        return (now.internal[0] ?? 0) >= (before.internal[0] ?? 0) + flows ? now : undefined;
      });
      // Flows live in tables that were there before; a megabyte or two was seen.
      expect(held.rss - before.rss).toBeLessThan(64 * 1_048_576);
      pair.nodes[1].process.signal('SIGCONT');
    });
  });
});
