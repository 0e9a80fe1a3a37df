/**
 * Strangers without the key against both nodes of a sealed pair at once, by socket and with the
 * peer's address: tests for any number of datagrams.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { SealedPair } from './sealedPair.js';

const { sync: syncAddresses } = pairAddresses;
const ports = [3_780, 3_781];
/** Memory of a daemon that serves: collections come and go. */
const restlessMebibytes = 48;

interface Struck {
  readonly sent: number;
  readonly refused: number;
  readonly kinds: Readonly<Record<string, number>>;
}

/** A host of its own for each target, which borrows the other node's address. */
async function strangerFor(lab: Lab, { pair }: SealedPair, target: 0 | 1): Promise<Host> {
  const [host] = (await lab.hosts(`sealstr${target + 1}`)) as [Host];
  await pair.sync.attach(host, 'sync', [`10.3.0.${66 + target}/24`]);
  await host.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await host.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=2']);
  const borrowed = syncAddresses[1 - target] ?? '';
  await host.exec(['ip', 'address', 'add', `${borrowed}/32`, 'dev', 'lo']);
  return host;
}

/** What went to the node was recorded, as by whoever sees the wire; the node has had it. */
async function recordTo(sealed: SealedPair, target: 0 | 1): Promise<string> {
  const firewall = sealed.pair.firewalls[target];
  const capture = await firewall.capture('sync', { filter: 'udp', direction: 'in' });
  await sealed.openFlows();
  await capture.waitForFrames(30, { timeout: 60_000 });
  const lines = (await capture.stop()).flatMap(({ bytes }) => {
    const record = bytes.subarray(14 + 20 + 8);
    const isData = record[0] === 0xe5 && (record[1] ?? 9) <= 2;
    return isData ? [`${bytes.readUInt16BE(14 + 20 + 2)} ${record.toString('hex')}`] : [];
  });
  const file = firewall.path('recorded.txt');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** Datagrams of the sync ports that the kernel had no room for. */
async function dropped(host: Host): Promise<number> {
  const rows = (await host.exec(['cat', '/proc/net/udp'])).split('\n').slice(1);
  const own = rows.filter((row) =>
    ports.includes(parseInt(row.trim().split(/\s+/)[1]?.split(':')[1] ?? '', 16)),
  );
  return own.reduce((sum, row) => sum + Number(row.trim().split(/\s+/).at(-1)), 0);
}

function residentMebibytes(pid: number): number {
  return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4_096) / 2 ** 20;
}

function countedIn({ sync }: StatusAnswer): number {
  const sum = (counts: Readonly<Record<string, number>> = {}): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  return sum(sync?.seal?.refused) + sum(sync?.peer.refusedBy);
}

/** What an attack must not change. */
function stateOf({ role, sync }: StatusAnswer): object {
  return {
    role,
    internal: sync?.internal.entries,
    external: sync?.external.entries,
    parity: sync?.parity,
    malformed: sync?.peer.malformed,
  };
}

/** Defines the tests. `count` datagrams in all, half of them for each node. */
export function strangersAreRefused(count: number, perSecond: number): void {
  let lab: Lab;
  let sealed: SealedPair;
  let strangers: readonly [Host, Host];
  let recordings: readonly [string, string];
  let livedBefore: number;

  beforeAll(async () => {
    lab = await Lab.open();
    sealed = await SealedPair.start(lab);
    await sealed.openFlows();
    recordings = [await recordTo(sealed, 0), await recordTo(sealed, 1)];
    livedBefore = (await sealed.nodes[1].history()).length;
    strangers = [await strangerFor(lab, sealed, 0), await strangerFor(lab, sealed, 1)];
  });

  afterAll(async () => {
    await lab.close();
  });

  function strike(target: 0 | 1, source: string, datagrams: number): Promise<Struck> {
    const args = [recordings[target], source, syncAddresses[target], datagrams, perSecond, target];
    const started = strangers[target].startTypescript(
      'test/support/sync/sealStranger.ts',
      args.map(String),
    );
    return started.exited().then(() => started.jsonLines().at(-1) as Struck);
  }

  test(`${count} datagrams with the peer’s address to both nodes change nothing and are counted`, async () => {
    const { nodes, pair } = sealed;
    const before = await Promise.all(nodes.map((node) => node.status()));
    const memory = nodes.map((node) => residentMebibytes(node.process.pid));
    const lost = await Promise.all(pair.firewalls.map(dropped));
    const strikes = ([0, 1] as const).map((target) =>
      strike(target, syncAddresses[1 - target] ?? '', count / 2),
    );
    // The true peer is served meanwhile.
    await sealed.openFlows();
    const struck = await Promise.all(strikes);
    const [first, second] = await Promise.all(
      nodes.map((node) =>
        node.waitForStatus(({ sync }) => sync?.parity === 'equal', 'both to hold the same'),
      ),
    );
    expect(stateOf(first!)).toEqual({ ...stateOf(before[0]!), internal: sealed.opened });
    expect(stateOf(second!)).toEqual({ ...stateOf(before[1]!), external: sealed.opened });
    for (const [i, node] of nodes.entries()) {
      const { sent, refused, kinds } = struck[i]!;
      const gone = (await dropped(pair.firewalls[i]!)) - lost[i]!;
      const counted = countedIn(await node.status()) - countedIn(before[i]!);
      expect(sent).toBe(count / 2);
      expect(Object.keys(kinds)).toHaveLength(12);
      expect(counted + gone + refused).toBeGreaterThanOrEqual(sent);
      // Of the true peer's nothing but what the kernel had no room for, and FTFW brings it again.
      const lostOf = (status: StatusAnswer): number => status.sync?.peer.lost ?? 0;
      expect(lostOf(await node.status()) - lostOf(before[i]!)).toBeLessThanOrEqual(gone);
      // Nor was anything asked for again without such a loss.
      const resyncsOf = (status: StatusAnswer): number => status.sync?.resyncs ?? 0;
      expect(resyncsOf(await node.status()) - resyncsOf(before[i]!)).toBeLessThanOrEqual(gone);
      // Most were looked at.
      expect(counted).toBeGreaterThan(sent * 0.8);
      const grown = residentMebibytes(node.process.pid) - memory[i]!;
      expect(grown).toBeLessThan(restlessMebibytes);
      expect(await pair.firewalls[i]!.exec(['conntrack', '-L', '-s', '203.0.113.66'])).toBe('');
      const reasons = Object.keys((await node.status()).sync?.seal?.refused ?? {});
      expect(reasons).toEqual(
        expect.arrayContaining([
          ...['plain', 'malformed', 'unknownKey', 'unknownSession', 'wrong', 'replayed'],
          ...['tooManyHellos', 'staleAnswer'],
        ]),
      );
    }
  });

  test('from an address of his own he costs no opening, is named, and his hellos stay unanswered', async () => {
    const { nodes } = sealed;
    const before = await nodes[1].status();
    const { sent } = await strike(1, '10.3.0.67', 2_000);
    const status = await nodes[1].waitForStatus(
      ({ sync }) => (sync?.peer.refusedBy?.['address'] ?? 0) >= sent,
      'each of his datagrams to be counted',
    );
    expect(status.sync?.seal?.refused).toEqual(before.sync?.seal?.refused);
    expect(status.sync?.peer.refused).toContainEqual(
      expect.objectContaining({ address: '10.3.0.67', reason: 'address' }),
    );
    expect(status.problems.map(({ code }) => code)).toContain('sync-stranger');
  });

  test('nobody has moved the role', async () => {
    for (const [i, role] of (['MASTER', 'BACKUP'] as const).entries()) {
      expect((await sealed.nodes[i]!.status()).role).toBe(role);
    }
    const history = await sealed.nodes[1].history();
    expect(history.slice(livedBefore)).toEqual([]);
  });
}
