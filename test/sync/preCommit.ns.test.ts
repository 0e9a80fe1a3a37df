/**
 * Flows committed before the role is certain: into a real kernel, kept up to date there, used or
 * taken back.
 */
import { seconds } from '../../src/base/time.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const flows = 2_000;
const own = '198.51.100.7';

describe('a pre-commit', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let master: SyncNode;
  let backup: SyncNode;
  let epoch = 1;

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    hosts = [a, b];
    await lab.link(
      { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: b, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    master = await SyncNode.start(a, settingsOfNode('10.99.0.1', '10.99.0.2'));
    backup = await SyncNode.start(b, settingsOfBackup());
    inject(flows, 0);
    // One flow of the backup's own, which the kernel there must keep.
    const create = `-I -p tcp -s 10.1.1.1 -d ${own} --sport 1 --dport 2 -t 3000`;
    await b.conntrack(...create.split(' '), '--state', 'ESTABLISHED');
    await waitFor(async () => (await backup.digest()).external[0] === flows, {
      description: 'the flows in the external cache',
    });
  });

  afterAll(async () => {
    await lab.close();
  });

  function settingsOfNode(
    local: string,
    destination: string,
    resendQueueSize = 131_072,
  ): SyncSettings {
    return settingsOf([{ kind: 'udp', local, destination, interfaceName: 'sync' }], {
      resendQueueSize,
      purgeTimeout: seconds(3_600),
      // Comparisons at this pace would find what is committed in advance.
      pollSeconds: 1,
    });
  }

  function settingsOfBackup(resendQueueSize?: number): SyncSettings {
    return settingsOfNode('10.99.0.2', '10.99.0.1', resendQueueSize);
  }

  function inject(count: number, base: number): void {
    const injector = ConntrackInjector.open(hosts[0].namespacePath);
    injector.inject({ count, base, timeoutSeconds: 3_000 });
    injector.close();
  }

  /** Without the flow of its own. */
  async function replicasInKernel(): Promise<number> {
    const listing = await hosts[1].conntrack('-L', '-p', 'tcp');
    return listing.split('\n').filter((line) => line.startsWith('tcp') && !line.includes(own))
      .length;
  }

  function committed(of: number): Promise<unknown> {
    return waitFor(() => backup.reports('committed').find((report) => report.epoch === of));
  }

  async function preCommit(): Promise<void> {
    backup.command({ kind: 'preCommit', epoch: ++epoch });
    await committed(epoch);
  }

  test("puts the peer's flows into the kernel and follows the peer there", async () => {
    await preCommit();
    expect(await replicasInKernel()).toBe(flows);
    inject(10, flows);
    await hosts[0].conntrack('-D', '-p', 'tcp', '--sport', '10000');
    await waitFor(async () => (await replicasInKernel()) === flows + 9, {
      description: 'ten flows more and one less in the kernel',
    });
  });

  test("does not make them this node's flows: parity of both directions stays equal", async () => {
    const { internal } = await backup.digest();
    expect(internal[0]).toBe(1);
    await waitFor(() => master.status?.parity === 'equal');
    await waitFor(() => backup.status?.parity === 'equal');
    expect((await master.digest()).external[0]).toBe(1);
  });

  test('is taken back when the role does not come; own flows and the external cache stay', async () => {
    await waitFor(() => backup.status?.lastCommit !== undefined, { description: 'its commit' });
    backup.command({ kind: 'undoPreCommit', epoch: ++epoch });
    await waitFor(async () => (await replicasInKernel()) === 0, { description: 'no replica' });
    expect(await hosts[1].conntrack('-L', '-p', 'tcp', '-d', own)).toContain(own);
    expect((await backup.digest()).external[0]).toBe(flows + 9);
    await waitFor(() => backup.status?.lastCommit === undefined, {
      description: 'a status without that commit',
      timeout: 10_000,
    });
  });

  test('leaves what both nodes filter alone, before and after, and compares nothing in between', async () => {
    const shared = '-s 10.1.1.2 -d 198.51.100.8 --sport 1 --dport 2';
    for (const host of hosts) {
      const create = `-I -p tcp ${shared} -t 3000 --state ESTABLISHED`;
      await host.conntrack(...create.split(' '));
    }
    await waitFor(async () => (await backup.digest()).internal[0] === 2, {
      description: 'the shared flow in the internal cache',
    });
    await waitFor(async () => (await backup.digest()).external[0] === flows + 10, {
      description: 'the shared flow in the external cache',
    });
    await preCommit();
    expect((await backup.digest()).internal[0]).toBe(2);
    // Nothing is compared with a kernel that holds the peer's flows.
    expect(await backup.request({ verb: 'resync', table: 'all' })).toMatchObject({ ok: false });
    expect((await backup.digest()).internal[0]).toBe(2);
    backup.command({ kind: 'undoPreCommit', epoch: ++epoch });
    await waitFor(async () => (await replicasInKernel()) === 1, { description: 'the shared flow' });
    expect(await hosts[1].conntrack('-L', '-p', 'tcp', '-d', '198.51.100.8')).toContain('10.1.1.2');
    await hosts[0].conntrack('-D', ...`-p tcp ${shared}`.split(' '));
    await hosts[1].conntrack('-D', ...`-p tcp ${shared}`.split(' '));
    await waitFor(async () => (await backup.digest()).internal[0] === 1, {
      description: 'its end to be seen: the flow is known by its present id',
    });
    await waitFor(async () => (await backup.digest()).external[0] === flows + 9, {
      description: 'its end to be told',
    });
  });

  test('that follows while one is being taken back has all flows: what ran before has ended first', async () => {
    await preCommit();
    backup.command({ kind: 'undoPreCommit', epoch: ++epoch });
    backup.command({ kind: 'preCommit', epoch: ++epoch });
    await committed(epoch);
    expect(await replicasInKernel()).toBe(flows + 9);
    expect((await backup.digest()).internal[0]).toBe(1);
  });

  test('is taken back before a reload starts the engine afresh: no flow of the peer becomes its own', async () => {
    await preCommit();
    const id = 4_711;
    backup.command({ kind: 'reconfigure', id, settings: { sync: settingsOfBackup(100_000) } });
    const result = await waitFor(() => backup.reports('result').find((one) => one.id === id));
    expect(result).toMatchObject({ message: 'the sync engine was started afresh' });
    expect(await replicasInKernel()).toBe(0);
    expect((await backup.digest()).internal[0]).toBe(1);
    await waitFor(async () => (await backup.digest()).external[0] === flows + 9, {
      description: 'the external cache to be there still',
    });
  });

  test('that still runs when the role comes is not begun again', async () => {
    epoch++;
    backup.commandsAtOnce(
      { kind: 'preCommit', epoch },
      { kind: 'becomeMaster', epoch, preCommitted: true },
    );
    await committed(epoch);
    expect(await replicasInKernel()).toBe(flows + 9);
    backup.command({ kind: 'takeoverComplete', epoch });
    await waitFor(() => backup.reports('takeoverDone').some((report) => report.epoch === epoch));
    // Now they are its own.
    expect((await backup.digest()).internal[0]).toBe(flows + 10);
    expect(backup.reports('committed').filter((report) => report.epoch === epoch)).toHaveLength(1);
  });
});
