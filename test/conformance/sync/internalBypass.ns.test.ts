/**
 * `DisableInternalCache`, on keepstate's side and on conntrackd's: no table, events go straight to
 * the peer, a bulk is a dump of the kernel, and no verb touches the kernel that should not.
 */
import { waitFor } from '../../lab/waitFor.js';
import { ConntrackInjector } from '../../support/conntrack/ctInjector.js';
import { createTellableFlows, createUdpFlows } from '../../support/sync/flows.js';
import { linesOf, MixedPair } from '../../support/sync/mixedPair.js';

jest.setTimeout(300_000);

const many = process.env['KEEPSTATE_FULL'] === '1' ? 200_000 : 30_000;

/** A dump tells each mark, an event only one that is set. */
const withoutZeroMark = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(' mark=0', '')).sort();

async function agree(pair: MixedPair, ours: number): Promise<readonly string[]> {
  return waitFor(
    async () => {
      const [held, told] = [
        await pair.keepstate.list('internal', false),
        linesOf(await pair.conntrackd.entries('external')),
      ];
      expect(held).toHaveLength(ours);
      expect(withoutZeroMark(told)).toEqual(withoutZeroMark(held));
      return told;
    },
    { description: 'conntrackd to hold the flows of this kernel' },
  );
}

describe('a keepstate without internal cache beside conntrackd', () => {
  let pair: MixedPair;
  let flows = 0;

  beforeAll(async () => {
    pair = await MixedPair.start({
      mode: 'NOTRACK',
      kind: 'udp',
      family: 4,
      settings: { disableInternalCache: true },
    });
  });

  afterAll(async () => {
    await pair.close();
  });

  test('creation, update and end of flows of every protocol reach conntrackd', async () => {
    const created = await createTellableFlows(pair.a, 50);
    await agree(pair, created);
    const mine = '-s 192.168.50.10';
    for (const change of [
      `-U -p tcp ${mine} --sport 40000 -m 1234`,
      `-U -p tcp ${mine} --sport 40004 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 900`,
      `-D -p udp ${mine}`,
      `-D -p icmp ${mine}`,
    ]) {
      await pair.a.exec(['conntrack', ...change.split(' ')]);
    }
    flows = created - 2;
    const told = (await agree(pair, flows)).join('\n');
    expect(told).toContain('mark=1234');
    expect(told).not.toContain('SYN_SENT');
    // The update of one attribute is an update: what was known before stays.
    expect(told).toContain('mark=77');
  });

  test('nothing is kept: the table is empty again, and the status says so', async () => {
    await waitFor(async () => (await pair.keepstate.digest()).internal[0] === 0);
    await pair.keepstate.request({ verb: 'stats' });
    expect(pair.keepstate.status?.internal).toMatchObject({ entries: 0, isBypassed: true });
  });

  test('flows internal lists the kernel’s flows with their timeouts', async () => {
    const text = await pair.keepstate.client(16);
    const lines = text.trim().split('\n');
    expect(lines).toHaveLength(flows);
    expect(text).toMatch(/^tcp +6 \d+ ESTABLISHED src=192\.168\.50\.10 .*mark=1234/m);
    expect(text).not.toContain('[active since');
    expect((await pair.keepstate.client(24)).match(/<flow>/g)).toHaveLength(flows);
  });

  test('a RESYNC is answered with the kernel’s table', async () => {
    await pair.conntrackd.client('-f', 'external');
    expect(await pair.conntrackd.entries('external')).toHaveLength(0);
    await pair.conntrackd.client('-n');
    await agree(pair, flows);
  });

  test('a flush of the internal cache is refused, and no flush empties the kernel', async () => {
    const flushed = await pair.keepstate.request({ verb: 'flush', cache: 'internal' });
    expect(flushed.ok).toBe(false);
    expect(flushed.message).toContain('the kernel is left alone');
    expect((await pair.keepstate.request({ verb: 'resync', table: 'all' })).ok).toBe(false);
    expect((await pair.keepstate.request({ verb: 'flush', cache: 'all' })).ok).toBe(true);
    // conntrackd's client: -f internal, -f, -R.
    for (const request of [33, 45, 44]) await pair.keepstate.client(request);
    expect((await pair.keepstate.client(16)).trim().split('\n')).toHaveLength(flows);
    await agree(pair, flows);
  });

  test('a role change commits what conntrackd has and tells it everything', async () => {
    await createUdpFlows(pair.b, 60, 5);
    await waitFor(async () => (await pair.keepstate.list('external', false)).length === 5);
    pair.keepstate.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    expect(await pair.keepstate.waitForReport('committed')).toMatchObject({ entries: 5, failed: 0 });
    await pair.conntrackd.client('-f', 'external');
    pair.keepstate.command({ kind: 'takeoverComplete', epoch: 1 });
    await pair.keepstate.waitForReport('takeoverDone');
    flows += 5;
    await agree(pair, flows);
  });

  test('a bulk of many flows is read as fast as it is sent: the table stays small', async () => {
    const injector = ConntrackInjector.open(pair.a.namespacePath);
    injector.inject({ count: many, timeoutSeconds: 3_000 });
    injector.close();
    await waitFor(async () => (await pair.keepstate.digest()).internal[0] === 0);
    await pair.conntrackd.client('-f', 'external');
    await pair.keepstate.request({ verb: 'bulk' });
    let most = 0;
    await waitFor(
      async () => {
        const { internal } = await pair.keepstate.digest();
        most = Math.max(most, internal[0] ?? 0);
        const statistics = await pair.conntrackd.client('-s');
        const external = statistics.slice(statistics.indexOf('cache external'));
        return external.includes(`connections:\t${String(many + flows).padStart(12)}\n`);
      },
      { timeout: 60_000, description: 'the whole table at conntrackd' },
    );
    expect(most).toBeLessThan(6_000);
    await waitFor(async () => (await pair.keepstate.digest()).internalBytes < 2_200_000);
    await pair.expectNothingMalformed();
  });
});

describe('a conntrackd without internal cache beside keepstate', () => {
  let pair: MixedPair;

  beforeAll(async () => {
    pair = await MixedPair.start({
      mode: 'NOTRACK',
      kind: 'udp',
      family: 4,
      modeLines: ['DisableInternalCache on'],
    });
  });

  afterAll(async () => {
    await pair.close();
  });

  test('its events arrive, and it answers a RESYNC', async () => {
    await createUdpFlows(pair.b, 60, 10);
    await waitFor(async () => (await pair.keepstate.list('external', false)).length === 10);
    await pair.b.exec('conntrack -D -p udp --sport 3'.split(' '));
    await waitFor(async () => (await pair.keepstate.list('external', false)).length === 9);
    await pair.keepstate.request({ verb: 'flush', cache: 'external' });
    await pair.keepstate.request({ verb: 'request' });
    await waitFor(async () => (await pair.keepstate.list('external', false)).length === 9);
    await pair.expectNothingMalformed();
  });
});
