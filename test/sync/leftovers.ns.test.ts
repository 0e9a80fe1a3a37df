/**
 * Two engines that hand the role over: what becomes of the flows in the kernel of the one that had
 * it.
 */
import { milliseconds } from '../../src/base/time.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(180_000);

const flows = 200;

describe('the flows of a MASTER that handed the role over', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let nodes: readonly [SyncNode, SyncNode];

  beforeEach(async () => {
    lab = await Lab.open();
    const [before, after] = (await lab.hosts('before', 'after')) as [Host, Host];
    hosts = [before, after];
    await lab.link(
      { host: before, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: after, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    const node = (host: Host, local: string, destination: string): Promise<SyncNode> =>
      SyncNode.start(
        host,
        settingsOf([{ kind: 'udp', local, destination, interfaceName: 'sync' }], {
          purgeTimeout: milliseconds(8_000),
          nodeName: host.name,
        }),
      );
    nodes = [
      await node(before, '10.99.0.1', '10.99.0.2'),
      await node(after, '10.99.0.2', '10.99.0.1'),
    ];
    await takesRole(0, 1);
    change(0, 'create', 0, flows);
    await waitFor(async () => (await nodes[1].digest()).external[0] === flows, {
      description: 'the flows at the other node',
    });
    await takesRole(1, 2);
    nodes[0].command({ kind: 'becomeBackup', epoch: 2, peerHeard: true });
    await waitFor(() => nodes[0].status?.purgeDue !== undefined, { description: 'the purge' });
  });

  afterEach(async () => {
    await lab.close();
  });

  async function takesRole(which: 0 | 1, epoch: number): Promise<void> {
    const node = nodes[which];
    await waitFor(() => node.status?.peer.kind === 'keepstate', { description: 'the peer' });
    node.command({ kind: 'becomeMaster', epoch, preCommitted: false });
    await node.waitForReport('committed');
    node.command({ kind: 'takeoverComplete', epoch });
    await node.waitForReport('takeoverDone');
  }

  function change(which: 0 | 1, action: 'create' | 'delete', base: number, count: number): void {
    const injector = ConntrackInjector.open(hosts[which].namespacePath);
    injector.inject({ count, base, action, timeoutSeconds: 3_000 });
    injector.close();
  }

  async function kernelCount(which: 0 | 1): Promise<number> {
    return (await hosts[which].conntrack('-L', '-p', 'tcp')).split('tcp ').length - 1;
  }

  test('end there at once when they end at the new MASTER, which offers them no longer', async () => {
    change(1, 'delete', 0, 100);
    await waitFor(async () => (await kernelCount(0)) === flows - 100, { description: 'their end' });
    expect(nodes[0].status?.purgeDue).toBeDefined();
    await waitFor(async () => (await nodes[1].digest()).external[0] === flows - 100, {
      description: 'the external cache of the new MASTER',
    });
    await waitFor(() => nodes[0].status?.purge?.removed === flows - 100, {
      description: 'the purge of the others',
    });
    expect(nodes[0].status?.purge).toMatchObject({ by: 'content', ended: 100, kept: 0 });
  });

  test('are purged when the new MASTER holds them, but one that is served here stays', async () => {
    const served = '-U -p tcp -s 10.0.0.1 --sport 10007 -d 198.51.100.20 --dport 443 -t 9000';
    await hosts[0].conntrack(...served.split(' '));
    await waitFor(async () => (await kernelCount(0)) === 1, { description: 'the purge' });
    expect(await hosts[0].conntrack('-L', '-p', 'tcp')).toContain('sport=10007');
    expect(await kernelCount(1)).toBe(flows);
    await waitFor(async () => (await nodes[1].digest()).external[0] === 1, {
      description: 'the external cache of the new MASTER',
    });
    await waitFor(() => nodes[1].status?.parity === 'equal', { description: 'parity' });
  });
});
