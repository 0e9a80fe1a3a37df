/**
 * A pair whose sync links are sealed: strangers on the sync network and with the peer's address, what
 * a listener sees, restarts, a rotation and the roll-out from plain to sealed under traffic.
 */
import { writeFileSync } from 'node:fs';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const [sync1, sync2] = pairAddresses.sync;
const flows = 20;
const keyOne = `hex:${'0123456789abcdeffedcba9876543210'.repeat(2)}`;
const keyTwo = `hex:${'89abcdef0123456776543210fedcba98'.repeat(2)}`;

let lab: Lab;
let pair: FirewallPair;
let nodes: readonly [KeepstateNode, KeepstateNode];
let stranger: Host;
let opened = 0;

function config(index: 0 | 1, lines: readonly string[]): string {
  return pairConfig({ index, globalLines: lines });
}

const keys = (active: number): readonly string[] => [
  'sync_key 1 file:@DIRECTORY@/one.key',
  'sync_key 2 file:@DIRECTORY@/two.key',
  `sync_active_key ${active}`,
];

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  for (const firewall of pair.firewalls) {
    writeFileSync(firewall.path('one.key'), `${keyOne}\n`, { mode: 0o600 });
    writeFileSync(firewall.path('two.key'), `${keyTwo}\n`, { mode: 0o600 });
  }
  const [fw1, fw2] = pair.firewalls;
  nodes = [
    new KeepstateNode(fw1, config(0, [...keys(1)])),
    new KeepstateNode(fw2, config(1, [...keys(1)])),
  ];
  [stranger] = (await lab.hosts('sealstr')) as [Host];
  await pair.sync.attach(stranger, 'sync', ['10.3.0.66/24']);
  await stranger.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await stranger.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=2']);
  await startServer(pair.server);
  await Promise.all(nodes.map((node) => node.start()));
  await nodes[0].waitForRole('MASTER');
  await nodes[1].waitForRole('BACKUP');
  await openFlows();
});

afterAll(async () => {
  await lab.close();
});

/** Twenty more connections, all of which the standby holds. */
async function openFlows(): Promise<StatusAnswer> {
  opened += flows;
  await startTcp(pair.client, { server: pairAddresses.server, count: flows });
  return nodes[1].waitForStatus(
    ({ sync }) => (sync?.external.entries ?? 0) >= opened && sync?.parity === 'equal',
    `${opened} flows in the cache of the standby`,
  );
}

async function nothingMoved(): Promise<void> {
  const [first, second] = await Promise.all(nodes.map((node) => node.status()));
  expect([first?.role, second?.role]).toEqual(['MASTER', 'BACKUP']);
  expect(second?.sync?.external.entries).toBeGreaterThanOrEqual(opened);
  for (const firewall of pair.firewalls) {
    expect(await firewall.exec(['conntrack', '-L', '-s', '203.0.113.66'])).toBe('');
  }
}

async function reload(node: KeepstateNode, text: string): Promise<void> {
  node.writeConfig(text);
  const { exitCode, stderr } = await node.cli('reload');
  expect([exitCode, stderr]).toEqual([0, '']);
}

test('status names the key of each side by its fingerprint, and nothing shows a key', async () => {
  const status = await nodes[1].waitForStatus(
    ({ sync }) => sync?.seal?.heardAgoMs[1] !== undefined,
    'the peer to be heard under key 1',
  );
  expect(status.sync?.seal).toMatchObject({ activeKey: 1, peerSealed: true, encrypted: true });
  expect(status.problems).toEqual([]);
  const text = await nodes[1].cli('status');
  expect(text.stdout).toContain(`key 1 (${status.sync?.seal?.keys[1] ?? '?'})`);
  const shown = [
    JSON.stringify(status),
    text.stdout,
    (await nodes[1].cli('history')).stdout,
    (await nodes[1].cli('stats')).stdout,
    ...nodes.map((node) => node.process.output),
  ].join('\n');
  expect(shown).not.toContain('0123456789abcdef');
});

test('a listener on the sync network sees no address of a flow', async () => {
  const capture = await pair.firewalls[1].capture('sync', { filter: 'udp', direction: 'in' });
  await openFlows();
  const frames = await capture.waitForFrames(10);
  const server = Buffer.from(pairAddresses.server.split('.').map(Number));
  for (const { bytes } of frames) {
    const payload = bytes.subarray(14 + 20 + 8);
    expect(payload[0]).toBe(0xe5);
    expect(payload.includes(server)).toBe(false);
  }
});

test.each(['role', 'plant', 'numbers', 'alive', 'flow'])(
  '%s from the peer’s own address moves nothing, and is counted',
  async (kind) => {
    // Without a port below 1024 nothing that is said on the peer channel is opened.
    const counted = ({ sync }: StatusAnswer): number =>
      (sync?.seal?.refused['plain'] ?? 0) + (sync?.peer.refusedBy?.['port'] ?? 0);
    const before = counted(await nodes[1].status());
    await stranger.tryExec(['ip', 'address', 'add', `${sync1}/32`, 'dev', 'lo']);
    const attack = stranger.startTypescript('test/support/sync/attack.ts', [
      ...[kind, sync1, sync2, '255', '3', '0'],
    ]);
    await attack.exited();
    expect(attack.jsonLines().at(-1)).toMatchObject({ sent: expect.any(Number) as number });
    await nothingMoved();
    const status = await nodes[1].waitForStatus(
      (now) => counted(now) > before,
      'his datagrams to be counted',
    );
    const codes = status.problems.map(({ code }) => code);
    expect(codes).toContain(kind === 'role' ? 'sync-stranger' : 'sync-seal-refused');
  },
);

test('a rotation by key numbers under traffic: no flow is missing, no resync is needed', async () => {
  const before = (await nodes[1].status()).sync?.resyncs;
  await reload(nodes[0], config(0, keys(2)));
  await openFlows();
  await reload(nodes[1], config(1, keys(2)));
  const status = await openFlows();
  expect(status.sync?.resyncs).toBe(before);
  expect(status.sync?.seal).toMatchObject({ activeKey: 2 });
  expect(status.sync?.seal?.heardAgoMs[2]).toBeLessThan(5_000);
});

test('a key that the peer lacks: nobody calls the caches equal, and the way back loses nothing', async () => {
  await reload(nodes[1], config(1, ['sync_key 2 file:@DIRECTORY@/two.key', 'sync_active_key 2']));
  await reload(nodes[0], config(0, keys(1)));
  const doubts = await nodes[0].waitForStatus(
    ({ sync, problems }) =>
      sync?.parity !== 'equal' && problems.some(({ code }) => code === 'peer-hears-nothing'),
    'the MASTER to doubt what the other holds',
    { timeout: 60_000 },
  );
  expect(doubts.role).toBe('MASTER');
  await nodes[1].waitForStatus(
    ({ sync, problems }) =>
      sync?.parity !== 'equal' && problems.some(({ code }) => code === 'sync-seal-refused'),
    'the BACKUP to say what it refuses',
    { timeout: 60_000 },
  );
  await reload(nodes[0], config(0, keys(2)));
  await openFlows();
  await reload(nodes[1], config(1, keys(2)));
  await openFlows();
  await nothingMoved();
});

test('a restart of either node: the other believes it again, and holds all flows', async () => {
  await nodes[1].stop();
  await nodes[1].start();
  await nodes[1].waitForRole('BACKUP');
  await openFlows();
  await nothingMoved();
});
