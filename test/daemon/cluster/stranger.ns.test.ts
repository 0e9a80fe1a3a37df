/**
 * Strangers against a running pair: a host of its own on the sync network, one that borrows the
 * peer's address there, and one on the LAN that does so (a user of the machine:
 * localThief.ns.test.ts). None moves the role, plants a flow or empties a cache; each is counted by
 * reason and named.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const [sync1, sync2] = pairAddresses.sync;
const own = '10.3.0.66';
const flows = 20;

let lab: Lab;
let pair: FirewallPair;
let nodes: readonly [KeepstateNode, KeepstateNode];
let stranger: Host;

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  const [fw1, fw2] = pair.firewalls;
  nodes = [
    new KeepstateNode(fw1, pairConfig({ index: 0 })),
    new KeepstateNode(fw2, pairConfig({ index: 1 })),
  ];
  [stranger] = (await lab.hosts('stranger')) as [Host];
  await pair.sync.attach(stranger, 'sync', [`${own}/24`]);
  await mayBorrow(stranger);
  await mayBorrow(pair.client);
  await pair.client.ip(`route add ${sync2}/32 via ${pairAddresses.lan[1]} dev eth0`);
  await startServer(pair.server);
  await Promise.all(nodes.map((node) => node.start()));
  await nodes[0].waitForRole('MASTER');
  await nodes[1].waitForRole('BACKUP');
  await startTcp(pair.client, { server: pairAddresses.server, count: flows });
  await replica(flows);
});

afterAll(async () => {
  await lab.close();
});

/**
 * What it sends with a borrowed address goes to the right place, and nobody is told that the
 * address is there.
 */
async function mayBorrow(host: Host): Promise<void> {
  await host.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await host.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=2']);
}

/** Five seconds of it. `source` is an address of the host from now on. */
async function attack(
  host: Host,
  kind: string,
  source: string,
  options: { readonly target?: string; readonly ttl?: number; readonly sequence?: number } = {},
): Promise<ManagedProcess> {
  const { target = sync2, ttl = 255, sequence = 0 } = options;
  // One that was borrowed before may be the target now.
  await host.tryExec(['ip', 'address', 'del', `${target}/32`, 'dev', 'lo']);
  if (source !== own) await host.tryExec(['ip', 'address', 'add', `${source}/32`, 'dev', 'lo']);
  return host.startTypescript('test/support/sync/attack.ts', [
    ...[kind, source, target, String(ttl), '5', String(sequence)],
  ]);
}

async function replica(count: number): Promise<StatusAnswer> {
  return nodes[1].waitForStatus(
    ({ sync }) => (sync?.external.entries ?? 0) >= count,
    `${count} flows in the cache of the standby`,
  );
}

async function ended(process: ManagedProcess): Promise<void> {
  await process.exited();
  expect(process.jsonLines().at(-1)).toMatchObject({ sent: expect.any(Number) as number });
}

/** How many flows the standby held at the least, while one of these ran. */
async function leastHeld(strikes: readonly ManagedProcess[]): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  while (strikes.some(({ isRunning }) => isRunning)) {
    least = Math.min(least, (await nodes[1].status()).sync?.external.entries ?? 0);
  }
  return least;
}

function namesRefused(node: KeepstateNode, expected: object): Promise<StatusAnswer> {
  return node.waitForStatus(
    ({ sync }) => {
      const refused = sync?.peer.refused ?? [];
      return refused.some((one) =>
        Object.entries(expected).every(([key, value]) => one[key as keyof typeof one] === value),
      );
    },
    `${JSON.stringify(expected)} among the refused`,
  );
}

async function nothingMoved(): Promise<void> {
  const [first, second] = await Promise.all(nodes.map((node) => node.status()));
  expect([first?.role, second?.role]).toEqual(['MASTER', 'BACKUP']);
  expect((await nodes[1].history()).filter(({ to }) => to === 'MASTER')).toEqual([]);
  for (const firewall of pair.firewalls) {
    expect(await firewall.exec(['conntrack', '-L', '-s', '203.0.113.66'])).toBe('');
  }
}

/** Number of the last message that fw1 has sent. */
async function lastNumber(): Promise<number> {
  const filter = `udp and src host ${sync1} and dst port 3780`;
  const capture = await pair.firewalls[1].capture('sync', { filter, direction: 'in' });
  const frames = await capture.waitForFrames(1);
  return frames.at(-1)!.bytes.readUInt32BE(14 + 20 + 8 + 4);
}

test('offer and resigned from another address of the sync network do not move the role (B1, B4)', async () => {
  await ended(await attack(stranger, 'role', own));
  await nothingMoved();
  const status = await namesRefused(nodes[1], { address: own, reason: 'address', port: 'peer' });
  expect(status.problems).toContainEqual(
    expect.objectContaining({ code: 'sync-stranger', remedy: expect.any(String) as string }),
  );
});

test('nor from the LAN with the peer’s address (B1)', async () => {
  await ended(await attack(pair.client, 'role', sync1));
  await nothingMoved();
  await namesRefused(nodes[1], { address: sync1, reason: 'device', port: 'peer' });
});

test('nor through a router, nor on the very wire with the peer’s address while the peer lives (B1)', async () => {
  for (const [ttl, reason] of [
    [64, 'ttl'],
    [255, 'port'],
  ] as const) {
    await ended(await attack(stranger, 'role', sync1, { ttl }));
    await nothingMoved();
    await namesRefused(nodes[1], { address: sync1, reason, port: 'peer' });
  }
});

test('a flow and yielded put nothing into the kernel of the MASTER (B2)', async () => {
  for (const [source, reason] of [
    [own, 'address'],
    [sync2, 'stream'],
  ] as const) {
    await ended(await attack(stranger, 'plant', source, { target: sync1 }));
    await nothingMoved();
    expect((await nodes[0].status()).sync?.external.entries).toBe(0);
    await namesRefused(nodes[0], { address: source, reason, port: 'sync' });
  }
});

test.each(['numbers', 'alive'])(
  'jumping numbers neither empty the cache nor stop replication: %s (B3)',
  async (kind) => {
    const before = (await replica(flows)).sync?.external.entries ?? 0;
    const sequence = await lastNumber();
    const strikes = [
      await attack(stranger, kind, own, { sequence }),
      await attack(stranger, kind, sync1, { sequence }),
    ];
    const more = startTcp(pair.client, { server: pairAddresses.server, count: flows });
    const watching = leastHeld(strikes);
    await more;
    await replica(before + flows);
    expect(strikes.every(({ isRunning }) => isRunning)).toBe(true);
    for (const strike of strikes) await ended(strike);
    expect(await watching).toBeGreaterThanOrEqual(before);
    await namesRefused(nodes[1], { address: sync1, reason: 'stream', port: 'sync' });
    await nothingMoved();
  },
);
