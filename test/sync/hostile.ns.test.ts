/**
 * A flood of hostile datagrams from a stranger, and from the peer's own address, while the true
 * peer goes on: caches stay as they are, everything is counted by its reason, memory stays flat.
 */
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const seconds = isFull ? '10' : '2';
const perSecond = isFull ? '100000' : '20000';
const flows = 1_000;

describe('hostile datagrams', () => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let stranger: Host;
  let victim: SyncNode;
  let speaker: SyncNode;

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b, stranger] = (await lab.hosts('a', 'b', 'c')) as [Host, Host, Host];
    const own = { host: b, name: 'sync', addresses: ['10.99.0.2/24'] };
    await lab.link({ host: a, name: 'sync', addresses: ['10.99.0.1/24'] }, own);
    const other = { host: b, name: 'outside', addresses: ['192.0.2.2/24'] };
    await lab.link({ host: stranger, name: 'outside', addresses: ['192.0.2.66/24'] }, other);
    await stranger.ip('route add 10.99.0.0/24 via 192.0.2.2');
    const settings = (local: string, destination: string): ReturnType<typeof settingsOf> =>
      settingsOf([{ kind: 'udp', local, destination, interfaceName: 'sync' }]);
    speaker = await SyncNode.start(a, settings('10.99.0.1', '10.99.0.2'));
    victim = await SyncNode.start(b, settings('10.99.0.2', '10.99.0.1'));
    inject(flows, 0);
    await holds(flows);
  });

  afterAll(async () => {
    await lab.close();
  });

  function inject(count: number, base: number): void {
    const injector = ConntrackInjector.open(a.namespacePath);
    injector.inject({ count, base, timeoutSeconds: 3_000 });
    injector.close();
  }

  async function holds(count: number): Promise<void> {
    await waitFor(async () => (await victim.digest()).external[0] === count);
  }

  /** Number of datagrams thrown, and by how many bytes the victim grew. */
  async function flood(from: Host): Promise<{ sent: number; grown: number }> {
    const before = await victim.digest();
    const args = ['10.99.0.2', '3780', seconds, perSecond];
    const junk = from.startTypescript('test/support/sync/junk.ts', args);
    await junk.exited();
    const report = junk.jsonLines().at(-1) as { sent: number };
    const after = await victim.digest();
    expect(after.external).toEqual(before.external);
    expect(after.internal).toEqual(before.internal);
    return { sent: report.sent, grown: after.rss - before.rss };
  }

  const peer = async (): Promise<NonNullable<typeof victim.status>['peer']> => {
    await victim.request({ verb: 'stats' });
    return waitFor(() => victim.status?.peer);
  };

  test('a stranger is counted and named, and nothing of it is read', async () => {
    const malformed = (await peer()).malformed;
    const { sent, grown } = await flood(stranger);
    const found = await peer();
    expect(sent).toBeGreaterThan(1_000);
    expect(found.strangers).toBeGreaterThan(1_000);
    expect(found).toMatchObject({ lastStranger: '192.0.2.66', malformed });
    expect(grown).toBeLessThan(64 << 20);
    process.stdout.write(`stranger: ${sent} sent, ${found.strangers} read, ${grown} bytes grown\n`);
  });

  test('nor of another socket at the peer’s address, while the peer goes on', async () => {
    const { malformed } = await peer();
    await flood(a);
    const found = await waitFor(async () => {
      const now = await peer();
      return (now.refusedBy?.['stream'] ?? 0) > 1_000 ? now : undefined;
    });
    expect(found).toMatchObject({ malformed, lastStranger: '10.99.0.1' });
  });

  test('the true peer is served while it goes on, and afterwards', async () => {
    const junk = stranger.startTypescript('test/support/sync/junk.ts', [
      '10.99.0.2',
      '3780',
      seconds,
      perSecond,
    ]);
    inject(flows, flows);
    await holds(2 * flows);
    await junk.exited();
    inject(flows, 2 * flows);
    await holds(3 * flows);
  });

  test('junk from the address of a peer that has gone is counted by reason', async () => {
    await speaker.stop();
    await waitFor(async () => {
      await victim.request({ verb: 'stats' });
      return victim.status?.state === 'peer-lost';
    });
    const { sent, grown } = await flood(a);
    const { malformed, malformedBy } = await peer();
    expect(malformed).toBeGreaterThan(1_000);
    for (const reason of ['truncated', 'size', 'version', 'header']) {
      expect([reason, malformedBy[reason]]).toEqual([reason, expect.any(Number)]);
      expect(malformedBy[reason]).toBeGreaterThan(100);
    }
    expect(grown).toBeLessThan(64 << 20);
    process.stdout.write(`peer: ${sent} sent, ${malformed} malformed, ${grown} bytes grown\n`);
  });
});
