/**
 * From plain to sealed under traffic, one node at a time; and the seals on the other kinds of links:
 * TCP, and multicast.
 */
import { writeFileSync } from 'node:fs';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig, type PairConfigOptions } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const flows = 20;
const key = `hex:${'0123456789abcdeffedcba9876543210'.repeat(2)}`;

let lab: Lab;
let pair: FirewallPair;
let nodes: readonly [KeepstateNode, KeepstateNode];
let opened = 0;

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  for (const firewall of pair.firewalls) {
    writeFileSync(firewall.path('one.key'), `${key}\n`, { mode: 0o600 });
  }
  const [fw1, fw2] = pair.firewalls;
  nodes = [new KeepstateNode(fw1, config(0)), new KeepstateNode(fw2, config(1))];
  await startServer(pair.server);
  await Promise.all(nodes.map((node) => node.start()));
  await nodes[0].waitForRole('MASTER');
  await nodes[1].waitForRole('BACKUP');
  await openFlows();
});

afterAll(async () => {
  await lab.close();
});

function config(index: 0 | 1, auth?: string, link: PairConfigOptions['link'] = 'UDP'): string {
  const seal = ['sync_key 1 file:@DIRECTORY@/one.key', 'sync_active_key 1'];
  const globalLines = auth === undefined ? [] : [...seal, `sync_auth ${auth}`];
  return pairConfig({ index, globalLines, link });
}

/** Twenty more connections, all of which the standby holds. */
async function openFlows(): Promise<StatusAnswer> {
  opened += flows;
  await startTcp(pair.client, { server: pairAddresses.server, count: flows });
  return nodes[1].waitForStatus(
    ({ sync }) => (sync?.external.entries ?? 0) >= opened && sync?.parity === 'equal',
    `${opened} flows in the cache of the standby`,
  );
}

async function reload(index: 0 | 1, text: string): Promise<void> {
  const node = nodes[index];
  node.writeConfig(text);
  const { exitCode, stderr } = await node.cli('reload');
  expect([exitCode, stderr]).toEqual([0, '']);
}

const isSealed = ({ sync }: StatusAnswer): boolean => sync?.seal?.peerSealed === true;

test('plain, permissive on one node, on both, enforce: no flow is missing on the way', async () => {
  await reload(0, config(0, 'permissive'));
  const alone = await openFlows();
  expect(alone.sync?.seal).toBeUndefined();
  await nodes[0].waitForStatus(
    ({ problems }) => problems.some(({ code }) => code === 'sync-not-sealed'),
    'status to say that nothing is sealed yet',
  );
  await reload(1, config(1, 'permissive'));
  await Promise.all(nodes.map((node) => node.waitForStatus(isSealed, 'the peer to show the key')));
  await openFlows();
  const before = (await nodes[1].status()).sync?.resyncs;
  await reload(0, config(0, 'enforce'));
  await reload(1, config(1, 'enforce'));
  const status = await openFlows();
  expect(status.sync?.seal).toMatchObject({ auth: 'enforce', peerSealed: true });
  expect(status.sync?.resyncs).toBe(before);
  const roles = await Promise.all(nodes.map(async (node) => (await node.status()).role));
  expect(roles).toEqual(['MASTER', 'BACKUP']);
});

test('a restart remembers that the peer is sealed', async () => {
  await reload(1, config(1, 'permissive'));
  await nodes[1].stop();
  await nodes[1].start();
  const status = await nodes[1].waitForStatus(({ sync }) => sync?.seal !== undefined, 'its seal');
  expect(status.sync?.seal).toMatchObject({ auth: 'permissive', peerSealed: true });
  await nodes[1].waitForRole('BACKUP');
  await openFlows();
});

test.each(['TCP', 'Multicast'] as const)('over %s', async (kind) => {
  await reload(0, config(0, 'enforce', kind));
  await reload(1, config(1, 'enforce', kind));
  await openFlows();
  const capture = await pair.firewalls[1].capture('sync', {
    filter: 'udp or tcp',
    direction: 'in',
  });
  const status = await openFlows();
  expect(status.sync?.links[0]).toMatchObject({ kind: kind.toLowerCase() });
  expect(status.sync?.seal?.heardAgoMs[1]).toBeLessThan(10_000);
  const frames = await capture.waitForFrames(10);
  const server = Buffer.from(pairAddresses.server.split('.').map(Number));
  expect(frames.filter(({ bytes }) => bytes.subarray(34).includes(server))).toEqual([]);
});
