/**
 * What the engine does to the kernel: purges that wait, flushes of one table, injection without an
 * external cache.
 */
import { milliseconds } from '../../src/base/time.js';
import { parseIp, type IpAddress } from '../../src/base/ipAddress.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const flows = 300;
const ignored = { address: ipOf('10.66.0.0'), prefixLength: 16 };

describe('the kernel’s table', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let nodes: readonly [SyncNode, SyncNode];

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    hosts = [a, b];
    await lab.link(
      { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: b, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    const node = (host: Host, own: string, other: string, injects: boolean): Promise<SyncNode> =>
      SyncNode.start(
        host,
        settingsOf([{ kind: 'udp', local: own, destination: other, interfaceName: 'sync' }], {
          disableExternalCache: injects,
          purgeTimeout: milliseconds(200),
          filter: {
            from: 'kernelspace',
            protocol: { policy: 'accept', entries: [6] },
            address: { policy: 'ignore', entries: [ignored] },
          },
        }),
      );
    nodes = [
      await node(a, '10.99.0.1', '10.99.0.2', false),
      await node(b, '10.99.0.2', '10.99.0.1', true),
    ];
  });

  afterAll(async () => {
    await lab.close();
  });

  function inject(which: 0 | 1, base: number): void {
    const injector = ConntrackInjector.open(hosts[which].namespacePath);
    injector.inject({ count: flows, base, timeoutSeconds: 3_000 });
    injector.close();
  }

  async function kernelHolds(which: 0 | 1, count: number): Promise<void> {
    await waitFor(
      async () =>
        (await hosts[which].conntrack('-L', '-p', 'tcp')).split('tcp ').length - 1 === count,
      { description: `${count} flows in the kernel of node ${which}` },
    );
  }

  test('Filter From Kernelspace: protocols and addresses that are not wanted are not told', async () => {
    const create = '-d 198.51.100.9 --sport 1 --dport 2 -t 600';
    const state = '--state ESTABLISHED';
    await hosts[0].exec(`conntrack -I -p udp -s 192.168.5.5 ${create}`.split(' '));
    await hosts[0].exec(`conntrack -I -p tcp -s 10.66.1.1 ${create} ${state}`.split(' '));
    await hosts[0].exec(`conntrack -I -p tcp -s 192.168.5.5 ${create} ${state}`.split(' '));
    await waitFor(async () => (await nodes[0].digest()).internal[0] === 1, {
      timeout: 8_000,
      description: 'one flow',
    });
    expect(await nodes[0].list('internal', false)).toEqual([
      expect.stringMatching(/^tcp .*src=192\.168\.5\.5 /),
    ]);
    // The UDP event did not even reach the engine.
    await waitFor(() => nodes[0].status?.events.received === 2, {
      timeout: 8_000,
      description: 'two events',
    });
    await hosts[0].exec('conntrack -D -s 192.168.5.5'.split(' '));
    await hosts[0].exec('conntrack -D -s 10.66.1.1'.split(' '));
    await kernelHolds(1, 0);
  });

  test('DisableExternalCache: the peer’s flows go into the kernel and end there', async () => {
    inject(0, 0);
    await kernelHolds(1, flows);
    await hosts[0].exec('conntrack -D -p tcp --sport 10000'.split(' '));
    await kernelHolds(1, flows - 1);
    expect((await nodes[1].digest()).external[0]).toBe(0);
    expect((await nodes[1].digest()).internal[0]).toBe(0);
  });

  test('a purge after a role change waits for another MASTER', async () => {
    inject(1, 10_000);
    await kernelHolds(1, 2 * flows - 1);
    const [, backup] = nodes;
    backup.command({ kind: 'becomeBackup', epoch: 1, peerHeard: false });
    await waitFor(() => backup.status?.purgeDue !== undefined);
    await waitFor(() => backup.reports('caughtUp').length > 0, { description: 'the peer’s table' });
    // Longer than PurgeTimeout: ten of its looks at the clock.
    const before = backup.reports('status').length;
    await waitFor(() => backup.reports('status').length > before + 1);
    await kernelHolds(1, 2 * flows - 1);
  });

  test('then what the MASTER holds stays without an external cache, until the MASTER ends it', async () => {
    const [master, backup] = nodes;
    master.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    await master.waitForReport('committed');
    master.command({ kind: 'takeoverComplete', epoch: 1 });
    await master.waitForReport('takeoverDone');
    backup.command({ kind: 'otherMasterHeard', epoch: 1 });
    await waitFor(() => backup.status?.purge !== undefined, { description: 'a comparison' });
    expect(backup.status?.purge).toMatchObject({ by: 'content', removed: 0, kept: 0 });
    await kernelHolds(1, 2 * flows - 1);
    await kernelHolds(0, 2 * flows - 1);
    const injector = ConntrackInjector.open(hosts[0].namespacePath);
    injector.inject({ count: flows, base: 10_000, action: 'delete' });
    injector.close();
    await kernelHolds(1, flows - 1);
  });

  test('flushing expectations leaves the flows; flushing all does not', async () => {
    const [master] = nodes;
    expect(await master.request({ verb: 'flushKernel', table: 'expect' })).toMatchObject({
      ok: true,
    });
    await kernelHolds(0, flows - 1);
    const all = await master.request({ verb: 'flushKernel', table: 'all' });
    expect(all).toMatchObject({ ok: true, counts: { entries: flows - 1 } });
    await kernelHolds(0, 0);
  });
});

function ipOf(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}
