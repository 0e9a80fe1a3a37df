/** A server behind two firewalls stops answering: one of them, or both. */
import type { StatusAnswer, TargetStatus } from '../../../src/control/statusAnswer.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { startServer, startTcp, startUdpProbe, unreadDatagrams } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const connections = isFull ? 200 : 50;
/** Milliseconds between numbered datagrams. */
const udpInterval = isFull ? 0.5 : 5;

const target = `vrrp_track_target SERVER {
  icmp ${pairAddresses.server}
  interface wan
  interval 0.2
  fall 3
  rise 3
}`;

const standing = (status: StatusAnswer): string | undefined => targetOf(status)?.standing;

function targetOf({ targets }: StatusAnswer): TargetStatus | undefined {
  return targets?.list[0];
}

describe('a target behind two keepstates', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let fw1: KeepstateNode;
  let fw2: KeepstateNode;

  /** The server drops what these firewalls ask. */
  const drop = (...indexes: readonly (0 | 1)[]): Promise<void> => {
    const rules = indexes.map(
      (index) => `ip saddr ${pairAddresses.wan[index]} icmp type echo-request drop`,
    );
    const chain = `chain c { type filter hook input priority 0; ${rules.map((rule) => `${rule};`).join(' ')} };`;
    return pair.server.nft(
      `table ip reach {}\ndelete table ip reach\n${rules.length === 0 ? '' : `table ip reach { ${chain} }`}`,
    );
  };

  const reachedByBoth = async (): Promise<void> => {
    for (const node of [fw1, fw2]) {
      await node.waitForStatus((one) => standing(one) === 'reached', 'an answering target');
    }
  };

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const config = (index: 0 | 1): string =>
      `${pairConfig({
        index,
        instanceLines: ['track_target {\n    SERVER\n  }'],
        globalLines: ['reach_hold 5'],
      })}\n${target}`;
    [fw1, fw2] = [
      new KeepstateNode(pair.firewalls[0], config(0)),
      new KeepstateNode(pair.firewalls[1], config(1)),
    ];
    await startServer(pair.server);
    await Promise.all([fw1.start(), fw2.start()]);
    await fw1.waitForRole('MASTER');
    await fw1.waitForStatus((one) => one.sync?.state === 'synchronised', 'a synchronised peer');
    await reachedByBoth();
  });

  afterAll(async () => {
    await lab.close();
  });

  test('that both lose moves nothing, and both say so', async () => {
    const before = await fw1.history();
    await drop(0, 1);
    for (const node of [fw1, fw2]) {
      await node.waitForStatus((one) => standing(one) === 'lost-by-both', 'a loss of both');
    }
    const status = await fw1.status();
    expect(status.role).toBe('MASTER');
    expect(targetOf(status)).toMatchObject({
      text: 'target SERVER is unreachable from both nodes',
      counts: false,
      addresses: [{ state: 'bad' }],
      peer: { state: 'bad' },
    });
    expect(status.problems.map(({ code }) => code)).toContain('target-lost-by-both');
    expect((await fw2.status()).role).toBe('BACKUP');
    expect((await fw1.history()).length).toBe(before.length);
    await drop();
    await reachedByBoth();
  });

  test('that the MASTER alone loses moves the role by a hand-over, and comes back after the hold', async () => {
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: connections });
    const udp = await startUdpProbe(pair.client, pairAddresses.server, udpInterval);
    await drop(0);
    await fw2.waitForRole('MASTER');
    await fw1.waitForRole('FAULT');
    const [status, other] = [await fw1.status(), await fw2.status()];
    expect(targetOf(status)).toMatchObject({
      standing: 'lost-here-only',
      counts: true,
      addresses: [{ state: 'bad' }],
      peer: { state: 'good' },
    });
    expect(targetOf(other)).toMatchObject({ standing: 'reached', peer: { state: 'bad' } });
    const because = 'target SERVER is unreachable from this node only';
    const history = await fw1.history();
    const moves = history.filter((entry) => entry.because.includes(because));
    expect(moves.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
      'BACKUP FAULT',
      'MASTER BACKUP',
    ]);
    await drop();
    await fw1.waitForRole('MASTER');
    expect(await tcp.finish()).toMatchObject({
      survivors: connections,
      resets: 0,
      mismatches: 0,
    });
    const report = await udp.finish();
    const unread = (await unreadDatagrams(pair.client)) + (await unreadDatagrams(pair.server));
    expect([report.errors, report.sent - report.received - unread]).toEqual([0, 0]);
  });

  test('that cannot be asked is told with its remedy, and is right when it is mended', async () => {
    const firewall = pair.firewalls[1];
    await firewall.nft(
      'table ip probe { chain c { type filter hook output priority 0; icmp type echo-request drop; }; }',
    );
    const unable = await fw2.waitForStatus((one) => standing(one) === 'unable', 'EPERM');
    expect(targetOf(unable)?.addresses[0]?.because).toContain('firewall rule of this node');
    expect(unable.problems.map(({ code }) => code)).toContain('target-unable');
    await drop(0);
    await fw1.waitForStatus((one) => standing(one) === 'peer-unable', 'a peer that cannot ask');
    expect((await fw1.status()).role).toBe('MASTER');
    await drop();
    await firewall.nft('delete table ip probe');
    await reachedByBoth();
  });

  test('a peer that goes away releases a node that is in FAULT for the target alone', async () => {
    await fw1.waitForStatus((one) => one.sync?.state === 'synchronised', 'a synchronised peer');
    await drop(0);
    await fw2.waitForRole('MASTER');
    await fw1.waitForRole('FAULT');
    await fw2.process.kill();
    const status = await fw1.waitForRole('MASTER');
    expect(targetOf(status)?.counts).toBe(false);
  });
});
