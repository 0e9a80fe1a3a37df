/**
 * `ExpectationSync` beside a real conntrackd 1.4.7, both ways: an FTP control connection makes an
 * expectation on one firewall, the other one takes over, and the data connection that was expected
 * goes through it.
 */
import { mkdirSync } from 'node:fs';
import { parseIp } from '../../../src/base/ipAddress.js';
import type { SyncSettings } from '../../../src/sync/settings.js';
import { Conntrackd } from '../../lab/conntrackd.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { waitFor } from '../../lab/waitFor.js';
import { everyProtocolConfig } from '../../support/sync/conntrackdConfig.js';
import { linesOf } from '../../support/sync/mixedPair.js';
import { settingsOf, SyncNode } from '../../support/sync/node.js';

jest.setTimeout(300_000);

const { client, server, wanVip, sync } = pairAddresses;

const rules = `
table inet filter {
  ct helper ftp {
    type "ftp" protocol tcp;
  }
  chain assign {
    type filter hook prerouting priority 0;
    tcp dport 21 ct helper set "ftp"
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" ct state new accept
  }
}
`;

describe('expectations beside a real conntrackd', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let keepstate: SyncNode;
  let conntrackd: Conntrackd;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab, { bare: true });
    for (const firewall of pair.firewalls) {
      await firewall.nft(rules);
      await firewall.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 0 });
    }
    await pair.server.ip(`route add default via ${wanVip}`);
    const directory = pair.firewalls[1].path('conntrackd');
    mkdirSync(directory);
    const config = everyProtocolConfig(
      {
        mode: 'FTFW',
        kind: 'udp',
        local: sync[1],
        destination: sync[0],
        interfaceName: 'sync',
        expectations: true,
        ignored: ['127.0.0.1', ...sync],
      },
      directory,
    );
    conntrackd = await Conntrackd.startWithConfig(pair.firewalls[1], config, directory);
    keepstate = await start({ expectationSync: ['FTP'] });
    const ftp = pair.server.startTypescript('test/support/conntrack/flowFtp.ts', ['server', 'hold']);
    await ftp.waitForOutput('"ready":true');
  });

  afterAll(async () => {
    await lab.close();
  });

  function start(changes: Partial<SyncSettings>): Promise<SyncNode> {
    const link = { kind: 'udp', local: sync[0], destination: sync[1] } as const;
    return SyncNode.start(
      pair.firewalls[0],
      settingsOf([{ ...link, interfaceName: 'sync' }], changes),
    );
  }

  /** A control connection whose client waits for the data connection. */
  async function expectData(): Promise<ManagedProcess> {
    const ftp = pair.client.startTypescript('test/support/conntrack/flowFtp.ts', ['client', server]);
    await ftp.waitForOutput('"ready":true');
    ftp.write('\n');
    return ftp;
  }

  async function transferred(ftp: ManagedProcess): Promise<void> {
    ftp.write('go\n');
    await waitFor(() => ftp.jsonLines().length === 2, { description: 'the data connection' });
    expect(ftp.jsonLines()[1]).toEqual({ data: true });
    await ftp.kill();
  }

  const listed = (text: string): string[] => linesOf(text.trim().split('\n')).filter(Boolean);
  const isOurs = [expect.stringMatching(new RegExp(`dst=${client} .*helper=ftp`))];

  test('keepstate’s expectation is at conntrackd, which takes over', async () => {
    await pair.takeVips(0);
    const ftp = await expectData();
    await waitFor(async () => {
      const ours = listed(await keepstate.client(40));
      expect(ours).toEqual(isOurs);
      expect(listed(await conntrackd.client('-e', 'expect'))).toEqual(ours);
      return true;
    });
    await pair.takeVips(1);
    await conntrackd.client('-c');
    await transferred(ftp);
  });

  test('conntrackd’s expectation is at keepstate, which takes over', async () => {
    const ftp = await expectData();
    await waitFor(async () => {
      const theirs = listed(await conntrackd.client('-i', 'expect'));
      expect(theirs).toEqual(isOurs);
      expect(listed(await keepstate.client(41))).toEqual(theirs);
      return true;
    });
    await pair.takeVips(0);
    keepstate.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    expect(await keepstate.waitForReport('committed')).toMatchObject({ failed: 0, expectations: 1 });
    await transferred(ftp);
    await waitFor(async () => listed(await conntrackd.client('-i', 'expect')).length <= 1);
  });

  test.each<readonly [string, Partial<SyncSettings>]>([
    [
      'its master is ignored by the filter',
      {
        expectationSync: 'all',
        filter: {
          from: 'userspace',
          address: {
            policy: 'ignore',
            entries: [{ address: parseIp(client)!, prefixLength: 32 }],
          },
        },
      },
    ],
    [
      'nothing is cached and its master is ignored by the filter',
      {
        mode: 'NOTRACK',
        disableInternalCache: true,
        expectationSync: 'all',
        filter: { from: 'userspace', protocol: { policy: 'ignore', entries: [6] } },
      },
    ],
    ['its helper is not named', { expectationSync: ['sip', 'h323'] }],
  ])('an expectation is not synchronised where %s', async (_name, changes) => {
    await keepstate.stop();
    keepstate = await start(changes);
    const ftp = await expectData();
    const [firewall] = pair.firewalls;
    await waitFor(async () => (await firewall.conntrack('-L', 'expect')).includes(`dst=${client}`));
    // What comes behind it was read: then so was the expectation.
    const flow = '-p udp -s 192.168.7.7 -d 198.51.100.1 --sport 1 --dport 2 -t 600';
    await firewall.exec(`conntrack -I ${flow}`.split(' '));
    await waitFor(async () => (await keepstate.client(16)).includes('src=192.168.7.7'));
    expect(listed(await keepstate.client(40))).toEqual([]);
    await firewall.exec('conntrack -D -s 192.168.7.7'.split(' '));
    await ftp.kill();
  });
});
