/** Hostile datagrams by the hundred thousand, from the peer's address and a stranger's, beside the true peer. */
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/ctInjector.js';
import { settingsOf, SyncNode } from '../support/syncNode.js';

jest.setTimeout(180_000);

const seconds = process.env['KEEPSTATE_FULL'] === '1' ? 10 : 3;
const rate = 100_000;
const flows = 1_000;
const mostGrowth = 64 * 1_048_576;

describe('under a flood of hostile datagrams', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let victim: SyncNode;
  let peer: SyncNode;

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    hosts = [a, b];
    await lab.link(
      { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: b, name: 'sync', addresses: ['10.99.0.2/24', '10.77.0.9/32'] },
    );
    await a.exec('ip route add 10.77.0.9/32 dev sync'.split(' '));
    const node = (host: Host, own: string, other: string): Promise<SyncNode> =>
      SyncNode.start(
        host,
        settingsOf([{ kind: 'udp', local: own, destination: other, interfaceName: 'sync' }]),
      );
    victim = await node(a, '10.99.0.1', '10.99.0.2');
    peer = await node(b, '10.99.0.2', '10.99.0.1');
    create(0);
    await holds(flows);
  });

  afterAll(async () => {
    await lab.close();
  });

  function create(base: number): void {
    const injector = ConntrackInjector.open(hosts[1].namespacePath);
    injector.inject({ count: flows, base, timeoutSeconds: 3_000 });
    injector.close();
  }

  /** The victim has exactly what the peer has. */
  async function holds(count: number): Promise<void> {
    await waitFor(
      async () => {
        const [mine, theirs] = [await victim.digest(), await peer.digest()];
        return mine.external[0] === count && mine.external.join() === theirs.internal.join();
      },
      { description: `${count} flows of the peer`, timeout: 60_000 },
    );
  }

  test.each([
    ['a stranger', '10.77.0.9', 'truncated,absurd,type,version,payload,state'],
    ['the peer’s address', '10.99.0.2', 'truncated,absurd,type,version,payload'],
  ])(
    'from %s: caches untouched, counted, memory flat, the peer still served',
    async (_who, own, kinds) => {
      const before = await victim.digest();
      const [count = 0] = before.external;
      const attack = hosts[1].startTypescript('test/support/syncFlood.ts', [
        ...[own, '10.99.0.1', String(rate), String(seconds), kinds],
      ]);
      create(count);
      await attack.exited();
      const [{ sent = 0 } = {}] = attack.jsonLines() as { sent?: number }[];
      expect(sent).toBeGreaterThan(1_000);
      await holds(count + flows);
      const after = await victim.digest();
      expect(after.internal).toEqual(before.internal);
      expect(after.rss - before.rss).toBeLessThan(mostGrowth);
    },
  );

  test('each is counted by its reason, and the stranger is named', async () => {
    const peerStatus = await waitFor(() => {
      const status = victim.status?.peer;
      return status !== undefined && status.strangers > 1_000 && status.malformed > 1_000
        ? status
        : undefined;
    });
    expect(peerStatus.lastStranger).toBe('10.77.0.9');
    for (const reason of ['truncated', 'size', 'header', 'version']) {
      expect(peerStatus.malformedBy[reason]).toBeGreaterThan(100);
    }
    expect(peerStatus.malformedBy['payload']).toBe(0);
  });
});
