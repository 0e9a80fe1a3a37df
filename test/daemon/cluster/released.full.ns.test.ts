/**
 * The first release (25dc65a) as the peer of this program, and what it left on the disk. `./check
 * --full` only.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { buildReleased, firstRelease } from '../../lab/releasedProgram.js';
import { typescriptCommand } from '../../lab/runTypescript.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(1_800_000);

const { server, wanVip } = pairAddresses;
const connections = 20;
/** Beside the connections that live, for which a count could not be told from a few lost ones. */
const ballast = 5_000;

describe('beside the first release', () => {
  let buildLab: Lab;
  let released: string;
  let lab: Lab;
  let pair: FirewallPair;

  beforeAll(async () => {
    buildLab = await Lab.open();
    released = await buildReleased(firstRelease, buildLab);
  });

  afterAll(async () => {
    await buildLab.close();
  });

  beforeEach(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    await startServer(pair.server);
  });

  afterEach(async () => {
    await lab.close();
  });

  /** `old`: the index of the node that runs the first release. */
  async function startNodes(
    old: 0 | 1,
    link: 'UDP' | 'Multicast' = 'UDP',
  ): Promise<readonly [KeepstateNode, KeepstateNode]> {
    const node = (index: 0 | 1): KeepstateNode => {
      const root = index === old ? released : undefined;
      return new KeepstateNode(pair.firewalls[index], pairConfig({ index, link }), root);
    };
    const nodes = [node(0), node(1)] as const;
    await Promise.all(nodes.map((one) => one.start()));
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
    return nodes;
  }

  const isEqual = ({ sync }: StatusAnswer): boolean =>
    sync?.state === 'synchronised' && sync.parity === 'equal' && sync.peer.kind === 'keepstate';

  async function bothEqual(nodes: readonly KeepstateNode[]): Promise<void> {
    for (const node of nodes) {
      await node.waitForStatus(isEqual, `equal caches on ${node.host.name}`, { timeout: 180_000 });
    }
  }

  test('in a group, where it listens alone: it is a keepstate, and both hold the same', async () => {
    const nodes = await startNodes(1, 'Multicast');
    await startTcp(pair.client, { server, count: connections });
    await nodes[1].waitForStatus(
      ({ sync }) => (sync?.external.entries ?? 0) >= connections,
      'the flows at the standby',
    );
    await bothEqual(nodes);
  });

  test.each([
    ['the MASTER', 0],
    ['the BACKUP', 1],
  ] as const)('as %s: caches equal, roles move both ways, no connection breaks', async (_, old) => {
    const nodes = await startNodes(old);
    const tcp = await startTcp(pair.client, { server, count: connections });
    await pair.firewalls[0].exec([
      ...typescriptCommand('test/support/conntrack/injectFlows.ts'),
      ...[String(ballast), '--keep', '--nat', wanVip, '--timeout', '3000'],
    ]);
    const holds = ({ sync }: StatusAnswer): boolean =>
      (sync?.external.entries ?? 0) >= ballast + connections;
    for (const [from, to] of [nodes, [nodes[1], nodes[0]] as const]) {
      await bothEqual(nodes);
      // The first release calls empty caches equal while a new MASTER has not told its flows yet.
      await to.waitForStatus(holds, 'the flows to be replicated', { timeout: 180_000 });
      expect(await from.ask({ verb: 'failover', force: false }, 120)).toMatchObject({
        kind: 'answer',
      });
      const status = await to.waitForRole('MASTER');
      await from.waitForRole('BACKUP');
      expect(status.sync?.lastCommit?.failed).toBe(0);
      const kernel = await to.host.conntrack('-L', '-p', 'tcp', '--dport', '443');
      expect(kernel.split('\n').filter((line) => line.startsWith('tcp'))).toHaveLength(ballast);
    }
    await bothEqual(nodes);
    expect(await tcp.finish()).toMatchObject({ survivors: connections, resets: 0, mismatches: 0 });
  });

  test('a crash of either is made up for: the other has every flow', async () => {
    const nodes = await startNodes(0);
    const tcp = await startTcp(pair.client, { server, count: connections });
    await bothEqual(nodes);
    await Promise.all([pair.unplug(0), nodes[0].process.kill()]);
    await nodes[1].waitForRole('MASTER');
    await pair.replug(0);
    await nodes[0].start();
    await nodes[0].waitForRole('MASTER', { timeout: 180_000 });
    await nodes[1].waitForRole('BACKUP');
    await bothEqual(nodes);
    await Promise.all([pair.unplug(0), nodes[0].process.kill()]);
    await nodes[1].waitForRole('MASTER');
    expect(await tcp.finish()).toMatchObject({ survivors: connections, resets: 0, mismatches: 0 });
  });

  test('its role, its maintenance and its history are read by this program', async () => {
    const [host] = pair.firewalls;
    // So long an interval that the start of the next program lies within the patience of a peer.
    const config = pairConfig({ index: 0, advertSeconds: 40 });
    const old = new KeepstateNode(host, config, released);
    await old.start();
    expect(await old.ask({ verb: 'maintenance', on: true, force: true })).toMatchObject({
      kind: 'answer',
    });
    await old.stop();

    const present = new KeepstateNode(host, config);
    await present.start();
    expect((await present.status()).maintenance).toBe(true);
    expect(await present.ask({ verb: 'maintenance', on: false, force: true })).toMatchObject({
      kind: 'answer',
    });
    await present.stop();

    await old.start();
    await old.waitForRole('MASTER', { timeout: 300_000 });
    const entries = await old.history();
    await old.process.kill();
    await present.start();
    const resumed = await present.waitForRole('MASTER');
    expect(resumed.reason).toBe('resumes after a crash');
    expect((await present.history()).slice(0, entries.length)).toMatchObject(
      entries.map(({ at, from, to, because }) => ({ at, from, to, because })),
    );
  });
});
