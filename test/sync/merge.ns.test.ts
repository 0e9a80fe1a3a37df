/**
 * Two engines whose nodes were both MASTER: what the one that stays makes of the other's flows, in
 * real kernels.
 */
import { milliseconds, seconds } from '../../src/base/time.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const wan = '192.0.2.1';

function settingsFor(
  host: Host,
  local: string,
  destination: string,
  changes: Partial<SyncSettings> = {},
): SyncSettings {
  return settingsOf([{ kind: 'udp', local, destination, interfaceName: 'sync' }], {
    purgeTimeout: milliseconds(200),
    nodeName: host.name,
    ...changes,
  });
}

describe('flows of two masters', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  let nodes: readonly [SyncNode, SyncNode];

  beforeEach(async () => {
    lab = await Lab.open();
    const [stays, leaves] = (await lab.hosts('stays', 'leaves')) as [Host, Host];
    hosts = [stays, leaves];
    await lab.link(
      { host: stays, name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: leaves, name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    nodes = [
      await SyncNode.start(stays, settingsFor(stays, '10.99.0.1', '10.99.0.2')),
      await SyncNode.start(leaves, settingsFor(leaves, '10.99.0.2', '10.99.0.1')),
    ];
    for (const one of nodes) {
      await waitFor(() => one.status?.peer.kind === 'keepstate', { description: 'the peer' });
      one.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
      await one.waitForReport('committed');
      one.command({ kind: 'takeoverComplete', epoch: 1 });
      await one.waitForReport('takeoverDone');
    }
  });

  afterEach(async () => {
    await lab.close();
  });

  /** A flow from 10.0.0.`client`, translated to `port` of the WAN address. */
  function open(which: 0 | 1, client: number, port: number, protocol = 'tcp'): Promise<string> {
    const state = protocol === 'tcp' ? ['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED'] : [];
    return hosts[which].exec([
      ...['conntrack', '-I', '-p', protocol, '-s', `10.0.0.${client}`, '-d', '198.51.100.9'],
      ...['--sport', '4000', '--dport', '80', '-t', '600', '--src-nat', `${wan}:${port}`, ...state],
    ]);
  }

  /** A first packet at the node that stays. */
  function openUnanswered(client: number, port: number): Promise<string> {
    return hosts[0].exec([
      ...['conntrack', '-I', '-p', 'tcp', '-s', `10.0.0.${client}`, '-d', '198.51.100.9'],
      ...['--sport', '4000', '--dport', '80', '-t', '100', '--src-nat', `${wan}:${port}`],
      ...['--state', 'SYN_SENT'],
    ]);
  }

  async function portOf(which: 0 | 1, client: number): Promise<string | undefined> {
    const text = await hosts[which].conntrack('-L', '-s', `10.0.0.${client}`);
    return /dst=192\.0\.2\.1 sport=80 dport=(\d+)/.exec(text)?.[1];
  }

  async function knows(which: 0 | 1, count: number): Promise<void> {
    await waitFor(async () => (await nodes[which].digest()).external[0] === count, {
      description: `${count} flows of the peer at node ${which}`,
    });
  }

  test('what only the other has is created, also what it opens until the neighbours have learnt', async () => {
    const [stays] = nodes;
    await open(1, 1, 1001);
    await open(0, 2, 1002);
    await knows(0, 1);
    stays.command({ kind: 'mergeAfterSplit', epoch: 1 });
    await stays.waitForReport('mergeReady');
    expect(await portOf(0, 1)).toBe('1001');
    expect(await stays.waitForReport('merged')).toMatchObject({ epoch: 1, created: 1, failed: 0 });
    await open(1, 3, 1003);
    await waitFor(async () => (await portOf(0, 3)) === '1003', { description: 'a late flow' });
    // The peer hears of all of them: if this node dies, they are there.
    await knows(1, 3);
  });

  test.each(['tcp', 'udp'])(
    'a translated port of %s that both chose stays with the flow that lives here, and one is told as failed',
    async (protocol) => {
      const [stays] = nodes;
      await open(1, 1, 1001, protocol);
      await open(0, 2, 1001, protocol);
      // The same client reached both: each has its own mapping.
      await open(1, 3, 1003, protocol);
      await open(0, 3, 1033, protocol);
      await knows(0, 2);
      stays.command({ kind: 'mergeAfterSplit', epoch: 1 });
      expect(await stays.waitForReport('merged')).toMatchObject({ created: 0, failed: 1 });
      expect(await portOf(0, 1)).toBeUndefined();
      expect(await portOf(0, 2)).toBe('1001');
      expect(await portOf(0, 3)).toBe('1033');
    },
  );

  // Its first packet came here while the answers went there: what this kernel has of it would call
  // every further packet INVALID.
  test('what was never answered here gives way to the flow that the other served', async () => {
    const [stays] = nodes;
    await open(1, 1, 1001);
    await open(1, 2, 1002);
    await openUnanswered(1, 1001);
    await openUnanswered(2, 1022);
    await openUnanswered(3, 1003);
    await knows(0, 2);
    stays.command({ kind: 'mergeAfterSplit', epoch: 1 });
    expect(await stays.waitForReport('merged')).toMatchObject({ created: 2, failed: 0 });
    const text = await hosts[0].conntrack('-L', '-s', '10.0.0.0/24');
    expect(text.match(/ESTABLISHED .*ASSURED/g)).toHaveLength(2);
    expect(text.match(/SYN_SENT .*UNREPLIED/g)).toHaveLength(1);
    expect(await portOf(0, 2)).toBe('1002');
    await knows(1, 3);
    // Those ends were no ends.
    expect(stays.reports('merged')).toHaveLength(1);
    await waitFor(async () => (await nodes[0].digest()).internal[0] === 3, {
      description: 'the internal cache to have what the kernel has',
    });
  });

  test('whoever gave way keeps its flows until the other has merged them', async () => {
    const [stays, leaves] = nodes;
    await open(1, 1, 1001);
    await knows(0, 1);
    leaves.command({
      ...{ kind: 'becomeBackup', epoch: 2, peerHeard: true },
      yieldedAfter: seconds(3),
    });
    const news = await stays.waitForReport('peerYielded');
    expect(news).toMatchObject({ name: 'leaves', masterMs: 3_000 });
    await waitFor(() => leaves.reports('caughtUp').length > 0, { description: 'the table' });
    // Longer than PurgeTimeout: ten of its looks at the clock.
    await waitFor(() => leaves.reports('status').length > 3, { description: 'time to pass' });
    expect(await portOf(1, 1)).toBe('1001');
    stays.command({ kind: 'mergeAfterSplit', epoch: 1 });
    expect(await leaves.waitForReport('yieldMerged')).toMatchObject({ created: 1, failed: 0 });
    await waitFor(async () => (await portOf(1, 1)) === undefined, { description: 'the purge' });
    expect(await portOf(0, 1)).toBe('1001');
    // Told once, however often the other repeated it.
    expect(stays.reports('peerYielded')).toHaveLength(1);
  });

  test('an engine that a reload starts afresh tells on that it gave way, as the same news', async () => {
    const [stays, leaves] = nodes;
    await open(1, 1, 1001);
    await knows(0, 1);
    leaves.command({
      ...{ kind: 'becomeBackup', epoch: 2, peerHeard: true },
      yieldedAfter: seconds(3),
    });
    await stays.waitForReport('peerYielded');
    leaves.command({
      kind: 'reconfigure',
      id: 77,
      settings: {
        sync: settingsFor(hosts[1], '10.99.0.2', '10.99.0.1', { refreshTimeSeconds: 77 }),
      },
    });
    await leaves.waitForReport('ready', 1);
    await waitFor(() => leaves.status?.peer.kind === 'keepstate', { description: 'the peer' });
    await waitFor(() => leaves.reports('caughtUp').length > 1, { description: 'the table' });
    await waitFor(() => leaves.reports('status').length > 6, { description: 'time to pass' });
    expect(await portOf(1, 1)).toBe('1001');
    stays.command({ kind: 'mergeAfterSplit', epoch: 1 });
    expect(await leaves.waitForReport('yieldMerged')).toMatchObject({ created: 1 });
    await waitFor(async () => (await portOf(1, 1)) === undefined, { description: 'the purge' });
    expect(stays.reports('peerYielded')).toHaveLength(1);
  });
});
