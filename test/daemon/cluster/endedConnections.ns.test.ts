/**
 * `Stats` beside `Sync`: each connection of a cluster is one line, on the node that was MASTER when
 * it ended, whatever becomes of the roles; what a node removes itself is none.
 */
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, startUdpProbe } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';
import { linesOf, withoutDate } from '../../support/sync/statisticsNode.js';

jest.setTimeout(300_000);

const stats = '\nStats {\n  LogFile @DIRECTORY@/stats.log\n  since_takeover on\n}\n';

describe('the ended connections of a cluster', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const [fw1, fw2] = pair.firewalls;
    const config = (index: 0 | 1): string =>
      pairConfig({ index, modeLines: ['PurgeTimeout 2'] }) + stats;
    nodes = [new KeepstateNode(fw1, config(0)), new KeepstateNode(fw2, config(1))];
    for (const host of pair.firewalls) {
      await host.sysctl({
        'net.netfilter.nf_conntrack_acct': 1,
        ...Object.fromEntries(
          ['time_wait', 'close_wait', 'last_ack', 'fin_wait', 'close'].map((state) => [
            `net.netfilter.nf_conntrack_tcp_timeout_${state}`,
            2,
          ]),
        ),
        'net.netfilter.nf_conntrack_udp_timeout': 4,
        'net.netfilter.nf_conntrack_udp_timeout_stream': 4,
      });
    }
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
    await nodes[0].waitForStatus((one) => one.sync?.state === 'synchronised', 'the peer');
  });

  afterAll(async () => {
    await lab.close();
  });

  const log = (index: 0 | 1): string[] =>
    linesOf(`${nodes[index].host.directory}/stats.log`)
      .map(withoutDate)
      .filter((line) => line.includes('dport=7000'));

  /** Lines since the last call, when there are as many as connections ended. */
  const seen = [0, 0];

  async function ended(index: 0 | 1, count: number): Promise<string[]> {
    await waitFor(
      async () => {
        // The kernel looks for what has timed out once a minute, or where its table is read.
        await pair.firewalls[index].conntrack();
        return log(index).length >= seen[index]! + count;
      },
      { description: `${count} lines of node ${index}` },
    );
    const lines = log(index).slice(seen[index]);
    seen[index] = log(index).length;
    return lines;
  }

  /** No connection stands in two lines of the cluster. */
  function eachOnce(): void {
    const keys = [...log(0), ...log(1)].map((line) => /src=\S+ dst=\S+ sport=\d+/.exec(line)?.[0]);
    expect(new Set(keys).size).toBe(keys.length);
  }

  test('the MASTER logs what ends, the BACKUP nothing', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 5 });
    const udp = await startUdpProbe(pair.client, pairAddresses.server);
    await tcp.finish();
    await udp.finish();
    const lines = await ended(0, 6);
    expect(lines.filter((line) => line.startsWith('tcp'))).toHaveLength(5);
    expect(lines.filter((line) => line.startsWith('udp'))).toHaveLength(1);
    for (const line of lines) expect(line).toMatch(/packets=\d+ bytes=\d+( \[ASSURED\])?$/);
    expect(log(1)).toEqual([]);
    expect((await nodes[0].status()).statistics?.state).toBe('logging');
    const backup = (await nodes[1].status()).statistics;
    expect(backup).toMatchObject({ state: 'standby', logged: 0 });
  });

  test('after a hand-over the new MASTER logs them, with counters since then; the purge is no end', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 5 });
    const udp = await startUdpProbe(pair.client, pairAddresses.server);
    await nodes[0].waitForStatus((one) => one.sync?.state === 'synchronised', 'the peer');
    expect((await nodes[0].ask({ verb: 'failover', force: false })).kind).toBe('answer');
    await nodes[1].waitForRole('MASTER');
    // The former MASTER removes what it holds.
    await waitFor(async () => !(await pair.firewalls[0].conntrack()).includes('dport=7000'), {
      description: 'the purge',
    });
    const later = await startTcp(pair.client, { server: pairAddresses.server, count: 2 });
    for (const one of [tcp, later]) {
      expect(await one.finish()).toMatchObject({ resets: 0, mismatches: 0 });
    }
    await udp.finish();
    const lines = await ended(1, 8);
    const taken = lines.filter((line) => line.endsWith(' since=takeover'));
    expect(taken.filter((line) => line.startsWith('tcp'))).toHaveLength(5);
    expect(taken.filter((line) => line.startsWith('udp'))).toHaveLength(1);
    expect(lines).toHaveLength(8);
    expect(log(0)).toHaveLength(seen[0]!);
    eachOnce();
  });

  test('after a crash of the MASTER too', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: 5 });
    await nodes[1].waitForStatus((one) => one.sync?.parity === 'equal', 'equal tables');
    await pair.unplug(1);
    await nodes[1].process.kill();
    await nodes[0].waitForRole('MASTER');
    expect(await tcp.finish()).toMatchObject({ survivors: 5, resets: 0 });
    const lines = await ended(0, 5);
    expect(lines.filter((line) => line.endsWith(' since=takeover'))).toHaveLength(5);
    eachOnce();
  });
});
