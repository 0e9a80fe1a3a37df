/**
 * A node whose external table is too small, beside a peer that says nothing of itself, as a
 * conntrackd.
 */
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { ConntrackInjector, type InjectOptions } from '../../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../../support/sync/node.js';

jest.setTimeout(120_000);

const limit = 1_000;

describe.each(['FTFW', 'NOTRACK'] as const)('%s', (mode) => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  const nodes: SyncNode[] = [];

  beforeAll(async () => {
    lab = await Lab.open();
    hosts = (await lab.hosts('a', 'b')) as [Host, Host];
    await lab.link(
      { host: hosts[0], name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: hosts[1], name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    for (const which of [0, 1] as const) {
      const [local, destination] = [`10.99.0.${1 + which}`, `10.99.0.${2 - which}`];
      const { peerPort, ...settings } = settingsOf(
        [{ kind: 'udp', local, destination, interfaceName: 'sync' }],
        { mode, ...(which === 1 ? { hashLimit: limit } : {}) },
      );
      expect(peerPort).toBeDefined();
      nodes[which] = await SyncNode.start(hosts[which], settings);
    }
  });

  afterAll(async () => {
    await lab.close();
  });

  function inject(options: InjectOptions): void {
    const injector = ConntrackInjector.open(hosts[0].namespacePath);
    injector.inject({ timeoutSeconds: 3_000, ...options });
    injector.close();
  }

  async function told(count: number): Promise<void> {
    await waitFor(async () => (await nodes[1]!.digest()).external[0] === count, {
      description: `${count} flows at the peer`,
      timeout: 30_000,
    });
  }

  test('has the flows that it refused when others have ended', async () => {
    inject({ count: limit + 200 });
    await told(limit);
    await waitFor(() => (nodes[1]!.status?.external.createFailed ?? 0) >= 200, {
      description: 'the refusals in the status',
    });
    inject({ count: 300, action: 'delete' });
    await told(limit - 100);
    expect(await nodes[1]!.list('external', false)).toEqual(
      await nodes[0]!.list('internal', false),
    );
  });
});
