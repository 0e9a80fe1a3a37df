/**
 * conntrackd's verbs -n -B -R -f -c -t, given to either side of a pair with a real conntrackd
 * 1.4.7.
 */
import { seconds } from '../../../src/base/time.js';
import { waitFor } from '../../lab/waitFor.js';
import { createUdpFlows } from '../../support/sync/flows.js';
import { MixedPair } from '../../support/sync/mixedPair.js';
import type { SyncMode } from '../../../src/sync/settings.js';

jest.setTimeout(300_000);

const modes: readonly SyncMode[] =
  process.env['KEEPSTATE_FULL'] === '1' ? ['FTFW', 'NOTRACK'] : ['FTFW'];
const flows = 15;

describe.each(modes)('verbs in %s', (mode) => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start({
      mode,
      kind: 'udp',
      family: 4,
      settings: { purgeTimeout: seconds(2) },
      modeLines: ['PurgeTimeout 2'],
    });
    await createUdpFlows(pair.a, 50, flows);
    await createUdpFlows(pair.b, 60, flows);
    await pair.agree(flows, flows);
  });

  afterAll(async () => {
    await pair.close();
  });

  // Flows that the other side made itself: after a commit, an answered RESYNC brings the committed
  // ones too.
  const held = async (): Promise<number> =>
    (await pair.keepstate.list('external', true)).filter(isFrom(60)).length;
  const heldByPeer = async (): Promise<number> =>
    (await pair.conntrackd.entries('external')).filter(isFrom(50)).length;

  test('-f external and -n: what was flushed is asked for', async () => {
    expect((await pair.keepstate.request({ verb: 'flush', cache: 'external' })).ok).toBe(true);
    expect(await held()).toBe(0);
    await pair.conntrackd.client('-f', 'external');
    expect(await heldByPeer()).toBe(0);
    await pair.keepstate.request({ verb: 'request' });
    await waitFor(async () => (await held()) === flows);
    await pair.conntrackd.client('-n');
    await pair.agree(flows, flows);
  });

  test('-B: each side tells its whole table', async () => {
    await pair.conntrackd.client('-f', 'external');
    await pair.keepstate.request({ verb: 'bulk' });
    await waitFor(async () => (await heldByPeer()) === flows);
    await pair.keepstate.request({ verb: 'flush', cache: 'external' });
    await pair.conntrackd.client('-B');
    await pair.agree(flows, flows);
  });

  test('-f internal and -R: the kernel fills the cache again, and the peer has lost nothing', async () => {
    expect((await pair.keepstate.request({ verb: 'flush', cache: 'internal' })).ok).toBe(true);
    await pair.conntrackd.client('-f', 'internal');
    expect(await pair.conntrackd.entries('internal')).toHaveLength(0);
    expect([await held(), await heldByPeer()]).toEqual([flows, flows]);
    await pair.keepstate.request({ verb: 'resync', table: 'all' });
    await pair.conntrackd.client('-R');
    await pair.agree(flows, flows);
  });

  test('-c: each kernel gets what the peer filters, and nothing of it is told back', async () => {
    const committed = await pair.keepstate.request({ verb: 'commit', table: 'all' });
    expect(committed.counts).toMatchObject({ entries: flows, failed: 0 });
    await pair.conntrackd.client('-c');
    for (const host of [pair.a, pair.b]) {
      expect((await host.exec(['conntrack', '-C'])).trim()).toBe(String(2 * flows));
    }
    // Both own what they committed; neither told the other about it.
    await waitFor(async () => (await pair.keepstate.list('internal', false)).length === 2 * flows);
    await createUdpFlows(pair.a, 50, 1, 500);
    await createUdpFlows(pair.b, 60, 1, 500);
    await waitFor(async () => (await heldByPeer()) === flows + 1 && (await held()) === flows + 1);
  });

  test('-t: the kernel is emptied after PurgeTimeout, and the peer keeps what it was told', async () => {
    expect((await pair.keepstate.request({ verb: 'purge' })).ok).toBe(true);
    await pair.conntrackd.client('-t');
    for (const host of [pair.a, pair.b]) {
      await waitFor(async () => (await host.exec(['conntrack', '-C'])).trim() === '0');
    }
    await waitFor(async () => (await pair.keepstate.list('internal', false)).length === 0);
    expect([await held(), await heldByPeer()]).toEqual([flows + 1, flows + 1]);
    await pair.expectNothingMalformed();
  });
});

function isFrom(base: number): (line: string) => boolean {
  return (line) => line.includes(`src=192.168.${base}.20`);
}
