/**
 * The log of ended connections beside that of a real conntrackd 1.4.7 in its mode `Stats`: one
 * router, both daemons on it, real traffic and constructed flows, the same lines.
 */
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { startServer } from '../../lab/traffic.js';
import { waitFor } from '../../lab/waitFor.js';
import {
  dateAndTab,
  linesOf,
  StatisticsNode,
  withoutDate,
} from '../../support/sync/statisticsNode.js';

jest.setTimeout(300_000);

/** NAT, marks, a zone for what comes from one port, and timeouts that end within a test. */
const ruleset = `
table ip nat {
  chain post { type nat hook postrouting priority 100; oifname "wan" snat to 10.2.0.1; }
  chain pre { type nat hook prerouting priority -100; tcp dport 7070 dnat to 10.2.0.10:7000; }
}
table inet marks {
  chain raw { type filter hook prerouting priority -300; udp dport 7005 ct zone set 7; }
  chain forward { type filter hook forward priority 0; udp dport 7000 ct mark set 0x2a; ct state established accept; }
}
`.replace(/; \}/g, '\n }');

const timeouts = {
  ...{ udp_timeout: 2, udp_timeout_stream: 2, icmp_timeout: 2, icmpv6_timeout: 2 },
  ...{ tcp_timeout_time_wait: 2, tcp_timeout_close: 2 },
};

describe('the log of ended connections beside conntrackd', () => {
  let lab: Lab;
  let client: Host;
  let router: Host;
  let conntrackd: Conntrackd;
  let node: StatisticsNode;
  let theirs = '';
  let ours = '';

  beforeAll(async () => {
    lab = await Lab.open();
    const [a, b, c] = (await lab.hosts('client', 'router', 'server')) as [Host, Host, Host];
    [client, router] = [a, b];
    await lab.link(
      { host: a, name: 'eth0', addresses: ['10.1.0.10/24', 'fd01::10/64'] },
      { host: b, name: 'lan', addresses: ['10.1.0.1/24', 'fd01::1/64'] },
    );
    await lab.link(
      { host: b, name: 'wan', addresses: ['10.2.0.1/24', 'fd02::1/64'] },
      { host: c, name: 'eth0', addresses: ['10.2.0.10/24', 'fd02::10/64'] },
    );
    for (const host of [a, c]) {
      const side = host === a ? 1 : 2;
      await host.ip(`route add default via 10.${side}.0.1`, `route add ::/0 via fd0${side}::1`);
    }
    await b.sysctl({
      'net.ipv4.ip_forward': 1,
      'net.ipv6.conf.all.forwarding': 1,
      ...Object.fromEntries(
        Object.entries(timeouts).map(([name, value]) => [
          `net.netfilter.nf_conntrack_${name}`,
          value,
        ]),
      ),
    });
    await b.nft(ruleset);
    await startServer(c);
    theirs = b.path('theirs.log');
    ours = b.path('ours.log');
    conntrackd = await Conntrackd.startWithConfig(b, statsConfig(b.directory, theirs));
    node = await StatisticsNode.start(b, { file: ours });
  });

  afterAll(async () => {
    await lab.close();
  });

  function statsConfig(directory: string, log: string): string {
    return `General {
  HashSize 8192
  HashLimit 65535
  LockFile ${directory}/lock
  UNIX { Path ${directory}/control }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
}
Stats { LogFile ${log} }
`;
  }

  /** Lines of both since the last call, without dates. */
  const seen = { theirs: 0, ours: 0 };

  async function ended(atLeast: number): Promise<string[]> {
    const lines = await waitFor(
      async () => {
        const [from, own] = [linesOf(theirs), linesOf(ours)];
        const isQuiet = (await router.exec(['conntrack', '-C'])).trim() === '0';
        const isSame = from.length === own.length && from.length >= seen.theirs + atLeast;
        return isQuiet && isSame ? { from, own } : undefined;
      },
      { description: `${atLeast} ended connections in both logs` },
    );
    const [from, own] = [lines.from.slice(seen.theirs), lines.own.slice(seen.ours)];
    seen.theirs = lines.from.length;
    seen.ours = lines.own.length;
    expect(own.map(withoutDate)).toEqual(from.map(withoutDate));
    // The clock of both is the same: a line is at most a second older.
    const at = (line: string): number => Date.parse(dateAndTab.exec(line)?.[0].trim() ?? '');
    for (const [i, line] of own.entries()) {
      expect(Math.abs(at(line) - at(from[i] ?? ''))).toBeLessThanOrEqual(2_000);
    }
    return own.map(withoutDate);
  }

  const shell = (host: Host, script: string): Promise<string> => host.exec(['bash', '-c', script]);

  /** One message to a port, and back. */
  const talk = (address: string, port: number, family: 'tcp' | 'udp' = 'tcp'): string =>
    `exec 3<>/dev/${family}/${address}/${port}; echo hello >&3; read -t 5 line <&3; exec 3>&-;`;

  async function traffic(): Promise<void> {
    await shell(
      client,
      [
        talk('10.2.0.10', 7000),
        talk('10.2.0.10', 7000, 'udp'),
        talk('fd02::10', 7000),
        talk('fd02::10', 7000, 'udp'),
        // Through DNAT, unreplied, and in a zone.
        talk('10.1.0.1', 7070),
        'echo lost > /dev/udp/10.2.0.99/9;',
        'echo lost > /dev/udp/10.2.0.10/7005;',
        'ping -q -c 2 -i 0.2 10.2.0.10; ping -q -c 1 fd02::10; true',
      ].join(' '),
    );
  }

  test('without accounting: TCP, UDP, ICMP, IPv6, NAT, a mark, a zone, unreplied', async () => {
    await traffic();
    const lines = (await ended(9)).join('\n');
    expect(lines).toMatch(/^tcp .* dport=7000 src=10\.2\.0\.10 dst=10\.2\.0\.1 .*\[ASSURED\]/m);
    expect(lines).toMatch(/^tcp .* dst=10\.1\.0\.1 .* dport=7070 src=10\.2\.0\.10/m);
    expect(lines).toMatch(/^udp .*mark=42/m);
    expect(lines).toMatch(/^udp .*\[UNREPLIED\].*/m);
    expect(lines).toMatch(/zone=7/);
    expect(lines).toMatch(/^tcp .*src=fd01::10 dst=fd02::10/m);
    expect(lines).toMatch(/^icmpv6 +58 .*type=128/m);
    expect(lines).not.toContain('packets=');
  });

  test('with accounting and timestamps the counters and the life are the same too', async () => {
    await router.sysctl({
      'net.netfilter.nf_conntrack_acct': 1,
      'net.netfilter.nf_conntrack_timestamp': 1,
    });
    await traffic();
    const lines = await ended(9);
    expect(lines.every((line) => /packets=\d+ bytes=\d+ /.test(line))).toBe(true);
    expect(lines.filter((line) => line.includes('delta-time=')).length).toBeGreaterThan(5);
  });

  test('flows of every other protocol, and of other states', async () => {
    const tuple = ['-s', '10.8.0.1', '-d', '10.9.0.1', '-t', '600'];
    const ports = ['--sport', '1', '--dport', '2'];
    const replied = ['-u', 'SEEN_REPLY'];
    const states = ['SYN_SENT', 'ESTABLISHED', 'CLOSE_WAIT', 'LAST_ACK', 'CLOSE'];
    const flows = [
      ...states.map((state, i) => [
        'tcp',
        '--sport',
        `${i + 10}`,
        '--dport',
        '2',
        '--state',
        state,
      ]),
      ['sctp', ...ports, '--state', 'ESTABLISHED', '--orig-vtag', '1', '--reply-vtag', '2'],
      ['dccp', ...ports, '--state', 'OPEN', '--role', 'client'],
      ['udplite', ...ports, ...replied],
      ['50', ...replied],
      ['udp', ...ports, ...replied, '-m', '7', '-w', '9'],
    ];
    for (const [protocol = '', ...rest] of flows) {
      await router.exec(['conntrack', '-I', '-p', protocol, ...tuple, ...rest]);
    }
    await router.exec(['conntrack', '-F']);
    const lines = await ended(flows.length);
    expect(lines.filter((line) => line.startsWith('unknown  50'))).toHaveLength(1);
  });

  test('the answers of the client: -i, -s, -s cache, and nothing for what the mode has not', async () => {
    await router.exec(
      'conntrack -I -p udp -s 10.8.0.1 -d 10.9.0.1 --sport 5 --dport 6 -t 600'.split(' '),
    );
    const config = statsConfig(router.directory, '/dev/null').replace(
      `${router.directory}/control`,
      node.clientPath,
    );
    const file = router.file('client.conf', config);
    const own = (...args: string[]): Promise<string> =>
      router.exec(['conntrackd', '-C', file, ...args]);
    const withoutAge = (text: string): string => text.replace(/ \[active since \d+s\]/g, '');
    await waitFor(async () => (await own('-i')).includes('sport=5 '), { description: 'the flow' });
    for (const args of [['-i'], ['-i', '-x'], ['-s'], ['-s', 'cache']]) {
      expect([args, withoutAge(await own(...args))]).toEqual([
        args,
        withoutAge(await conntrackd.client(...args)),
      ]);
    }
    expect(await own('-s')).toMatch(/traffic processed:\n +[1-9]\d+ Bytes +[1-9]\d* Pckts/);
    for (const args of ['-e', '-c', '-B', '-n', '-t', '-f', '-s network', '-s link', '-s queue']) {
      expect([args, await own(...args.split(' '))]).toEqual([args, '']);
      expect(await conntrackd.client(...args.split(' '))).toBe('');
    }
    expect(await own('-s', 'runtime')).toMatch(/^daemon uptime: 0 min\n\nnetlink stats:/);
    // -f empties nothing, -f internal does; what is forgotten ends without a line.
    expect(await own('-i')).toContain('sport=5 ');
    for (const client of [own, conntrackd.client.bind(conntrackd)]) await client('-f', 'internal');
    expect(await own('-i')).toBe('');
    await router.exec(['conntrack', '-F']);
    expect(await ended(0)).toEqual([]);
  });

  test('-R finds flows again, and the ends that -F makes are logged, as conntrackd logs them', async () => {
    await router.exec(
      'conntrack -I -p udp -s 10.8.0.1 -d 10.9.0.1 --sport 7 --dport 8 -t 600'.split(' '),
    );
    const file = router.path('client.conf').replace(/\.1$/, '');
    const own = (...args: string[]): Promise<string> =>
      router.exec(['conntrackd', '-C', file, ...args]);
    for (const client of [own, conntrackd.client.bind(conntrackd)]) {
      await client('-f', 'internal');
      await client('-R');
      await waitFor(async () => (await client('-i')).includes('sport=7 '), {
        description: 'the flow, found again',
      });
    }
    await own('-F');
    expect(await ended(1)).toHaveLength(1);
  });
});
