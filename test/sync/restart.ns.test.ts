/**
 * A reload that starts the engine afresh, and roles that change meanwhile: the last one wins, and
 * no flow is lost.
 */
import { milliseconds } from '../../src/base/time.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const flows = 5_000;

describe('the engine is started afresh', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let master: SyncNode;
  let backup: SyncNode;
  let reloads = 0;

  const settingsAt = (own: string, other: string, changes: Partial<SyncSettings>): SyncSettings =>
    settingsOf([{ kind: 'udp', local: own, destination: other, interfaceName: 'sync' }], {
      purgeTimeout: milliseconds(200),
      ...changes,
    });

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    hosts = [a, b];
    await lab.link(
      { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: b, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    master = await SyncNode.start(a, settingsAt('10.99.0.1', '10.99.0.2', {}));
    backup = await SyncNode.start(b, settingsAt('10.99.0.2', '10.99.0.1', {}));
    const injector = ConntrackInjector.open(a.namespacePath);
    injector.inject({ count: flows, timeoutSeconds: 3_000 });
    injector.close();
    await waitFor(async () => (await backup.digest()).external[0] === flows);
    // From here on the backup is alone with what it has.
    await master.process.kill();
  });

  afterAll(async () => {
    await lab.close();
  });

  /** Another resend queue: it cannot be adopted in place. */
  function reload(): number {
    const id = 1_000 + ++reloads;
    const changes = { resendQueueSize: 100_000 + reloads };
    backup.command({
      kind: 'reconfigure',
      id,
      settings: { sync: settingsAt('10.99.0.2', '10.99.0.1', changes) },
    });
    return id;
  }

  async function reloaded(id: number): Promise<void> {
    const result = await waitFor(() => backup.reports('result').find((one) => one.id === id));
    expect(result).toMatchObject({ ok: true, message: 'the sync engine was started afresh' });
  }

  async function committed(epoch: number): Promise<unknown> {
    return waitFor(() => backup.reports('committed').find((one) => one.epoch === epoch), {
      description: `the commit of epoch ${epoch}`,
    });
  }

  test('a takeover that comes meanwhile commits what the lost peer had told before', async () => {
    const id = reload();
    backup.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    await reloaded(id);
    expect(await committed(1)).toMatchObject({ entries: flows, failed: 0, cancelled: false });
    expect((await hosts[1].exec(['conntrack', '-C'])).trim()).toBe(String(flows));
  });

  test('a reload that comes during a commit waits for its end', async () => {
    backup.command({ kind: 'becomeMaster', epoch: 2, preCommitted: false });
    const id = reload();
    expect(await committed(2)).toMatchObject({ entries: flows, cancelled: false });
    await reloaded(id);
  });

  test('of several roles meanwhile the last one wins', async () => {
    const id = reload();
    backup.command({ kind: 'becomeBackup', epoch: 3, peerHeard: true });
    backup.command({ kind: 'becomeMaster', epoch: 4, preCommitted: false });
    backup.command({ kind: 'becomeFault', epoch: 3 });
    await reloaded(id);
    expect(await committed(4)).toMatchObject({ entries: flows, cancelled: false });
    await backup.request({ verb: 'stats' });
    expect(backup.status?.purgeDue).toBeUndefined();
  });

  test('a role of an older epoch that comes after the restart is not taken for news', async () => {
    backup.command({ kind: 'becomeMaster', epoch: 6, preCommitted: false });
    expect(await committed(6)).toMatchObject({ entries: flows, cancelled: false });
    await reloaded(reload());
    backup.command({ kind: 'becomeFault', epoch: 5 });
    await backup.request({ verb: 'stats' });
    const seen = backup.reports('status').length;
    await waitFor(() => backup.reports('status').length > seen + 1);
    expect(backup.status?.purgeDue).toBeUndefined();
  });

  test('a purge that waited for another MASTER still waits for it', async () => {
    backup.command({ kind: 'becomeBackup', epoch: 7, peerHeard: false });
    await waitFor(() => backup.status?.purgeDue !== undefined);
    await reloaded(reload());
    const seen = backup.reports('status').length;
    await waitFor(() => backup.reports('status').length > seen + 1);
    expect(backup.status?.purgeDue).toBeDefined();
  });
});
