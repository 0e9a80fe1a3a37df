/**
 * Two keepstate engines over a bad cable: when the fault ends, count and fingerprint are equal on
 * both sides.
 */
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { Relay } from '../lab/relay.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';
import type { Impairments } from '../lab/impairment.js';

jest.setTimeout(300_000);

const flows = process.env['KEEPSTATE_FULL'] === '1' ? 50_000 : 10_000;

describe('a pair over a bad cable', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let relay: Relay;
  let nodes: [SyncNode, SyncNode];

  const settings = (own: string, other: string, name: string): ReturnType<typeof settingsOf> =>
    settingsOf([{ kind: 'udp', local: own, destination: other, interfaceName: 'sync' }], {
      nodeName: name,
    });

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    hosts = [a, b];
    relay = await Relay.join(
      lab,
      { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: b, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    nodes = [
      await SyncNode.start(a, settings('10.99.0.1', '10.99.0.2', 'a')),
      await SyncNode.start(b, settings('10.99.0.2', '10.99.0.1', 'b')),
    ];
  });

  afterAll(async () => {
    await lab.close();
  });

  async function equal(count: number): Promise<number> {
    const startedAt = performance.now();
    await waitFor(
      async () => {
        const [a, b] = [await nodes[0].digest(), await nodes[1].digest()];
        return a.internal[0] === count && a.internal.join() === b.external.join();
      },
      { description: `${count} flows to be equal`, timeout: 60_000 },
    );
    return performance.now() - startedAt;
  }

  function churn(action: 'create' | 'delete', count: number, base = 0): void {
    const injector = ConntrackInjector.open(hosts[0].namespacePath);
    injector.inject({ count, base, action, timeoutSeconds: 3_000 });
    injector.close();
  }

  test('both know each other and a burst arrives', async () => {
    churn('create', flows);
    await equal(flows);
    await waitFor(() => nodes[1].status?.peer.kind === 'keepstate');
    await waitFor(() => nodes[1].status?.parity === 'equal');
    expect(nodes[1].status?.peer).toMatchObject({ name: 'a', malformed: 0 });
  });

  const faults: readonly (readonly [string, Impairments])[] = [
    ['loses 20 %', { drop: 20 }],
    ['reorders and duplicates', { reorder: 10, duplicate: 10 }],
    ['corrupts', { corrupt: 10 }],
  ];
  test.each(faults)('a cable that %s', async (name, impairments) => {
    await relay.setBoth(impairments);
    const half = flows / 2;
    churn('delete', half);
    churn('create', half, flows);
    churn('delete', half, flows);
    churn('create', half);
    await relay.setBoth({});
    const milliseconds = await equal(flows);
    process.stdout.write(`${name}: equal ${Math.round(milliseconds)} ms after the fault\n`);
  });

  test('one-way loss', async () => {
    await relay.set({ toRight: { drop: 100 } });
    churn('delete', flows / 2);
    await waitFor(() => nodes[1].status?.parity === 'unknown', { description: 'a silent peer' });
    await relay.setBoth({});
    const milliseconds = await equal(flows / 2);
    process.stdout.write(`one-way loss: equal ${Math.round(milliseconds)} ms after the fault\n`);
  });

  test('a node that is killed is whole again, and what ended meanwhile is gone at the peer', async () => {
    await nodes[0].process.kill();
    churn('delete', 100, flows / 2);
    nodes[0] = await SyncNode.start(hosts[0], settings('10.99.0.1', '10.99.0.2', 'a'));
    await equal(flows / 2 - 100);
    await nodes[1].process.kill();
    nodes[1] = await SyncNode.start(hosts[1], settings('10.99.0.2', '10.99.0.1', 'b'));
    await equal(flows / 2 - 100);
  });

  test('a role change commits the peer’s flows and drops what came before it', async () => {
    nodes[1].command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    const committed = await nodes[1].waitForReport('committed');
    expect(committed).toMatchObject({ failed: 0, cancelled: false, entries: flows / 2 - 100 });
    expect((await hosts[1].exec(['conntrack', '-C'])).trim()).toBe(String(flows / 2 - 100));
    nodes[1].command({ kind: 'takeoverComplete', epoch: 1 });
    await nodes[1].waitForReport('takeoverDone');
  });
});
