/**
 * A pair of keepstate's replication engine and a real conntrackd 1.4.7: both must hold the same
 * flows.
 */
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { settingsOf, SyncNode, withoutAges } from '../../support/sync/node.js';

jest.setTimeout(300_000);

const local = '10.99.0.1';
const remote = '10.99.0.2';
const group = '225.0.0.50';

interface Case {
  readonly mode: 'FTFW' | 'NOTRACK' | 'ALARM';
  readonly kind: 'udp' | 'multicast' | 'tcp';
}

const cases: readonly Case[] = [
  { mode: 'FTFW', kind: 'udp' },
  { mode: 'FTFW', kind: 'multicast' },
  { mode: 'NOTRACK', kind: 'udp' },
  { mode: 'ALARM', kind: 'udp' },
  { mode: 'FTFW', kind: 'tcp' },
  { mode: 'NOTRACK', kind: 'tcp' },
  { mode: 'ALARM', kind: 'tcp' },
];

/** One of each kind, `base` keeps two nodes apart. */
function flowCommands(base: string): string[][] {
  const tcp = (port: number, ...rest: string[]): string[] =>
    `conntrack -I -p tcp -s 192.168.${base}.10 -d 198.51.100.7 --sport ${port} --dport 443 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3000`
      .split(' ')
      .concat(rest);
  return [
    tcp(40_000),
    tcp(40_001, '-m', '77'),
    tcp(40_002, '--src-nat', '203.0.113.1:20100'),
    tcp(40_003, '--dst-nat', '203.0.113.80:8080'),
    `conntrack -I -p udp -s 192.168.${base}.10 -d 198.51.100.7 --sport 5000 --dport 53 -t 1200`.split(' '),
    `conntrack -I -p icmp -s 192.168.${base}.10 -d 198.51.100.7 --icmp-type 8 --icmp-code 0 --icmp-id 4660 -t 1200`.split(' '),
    `conntrack -I -p tcp -s 2001:db8:${base}::1 -d 2001:db8:9::2 --sport 6000 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -t 3000`.split(' '),
    `conntrack -I -p udp -s 2001:db8:${base}::1 -d 2001:db8:9::2 --sport 6001 --dport 53 -t 1200`.split(' '),
  ];
}

jest.retryTimes(0);
describe.each(cases)('$mode over $kind, beside a real conntrackd', ({ mode, kind }) => {
  let lab: Lab;
  let a: Host;
  let b: Host;
  let keepstate: SyncNode;
  let conntrackd: Conntrackd;

  beforeAll(async () => {
    lab = await Lab.open();
    [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
    await lab.link(
      { host: a, name: 'sync', addresses: [`${local}/24`] },
      { host: b, name: 'sync', addresses: [`${remote}/24`] },
    );
    const modeLines = mode === 'ALARM' ? ['RefreshTime 3', 'CacheTimeout 60'] : [];
    conntrackd = await Conntrackd.start(b, {
      mode,
      modeLines,
      link: {
        kind,
        local: remote,
        destination: kind === 'multicast' ? group : local,
        interfaceName: 'sync',
      },
      generalLines: ['# every protocol'],
    });
    keepstate = await start();
  });

  function start(): Promise<SyncNode> {
    return SyncNode.start(
      a,
      settingsOf(
        [
          {
            kind,
            local,
            destination: kind === 'multicast' ? group : remote,
            interfaceName: 'sync',
          },
        ],
        { mode, refreshTimeSeconds: 3, cacheTimeoutSeconds: 60 },
      ),
    );
  }

  afterAll(async () => {
    await lab.close();
  });

  async function agree(): Promise<{ ours: string[]; theirs: string[] }> {
    const ours = await keepstate.list('internal', false);
    const theirs = (await conntrackd.entries('external')).map(withoutAges).sort();
    const back = (await conntrackd.entries('internal')).map(withoutAges).sort();
    const held = await keepstate.list('external', true);
    expect(theirs).toEqual(ours);
    expect(held).toEqual(back);
    return { ours, theirs: back };
  }

  test('both hold the same flows after creation, update and destruction', async () => {
    for (const command of flowCommands('50')) await a.exec(command);
    for (const command of flowCommands('60')) await b.exec(command);
    const created = await waitFor(async () => {
      const both = await agree();
      return both.ours.length >= 8 && both.theirs.length >= 8 ? both : undefined;
    });
    expect(created.ours).toHaveLength(8);
    for (const [host, base] of [
      [a, '50'],
      [b, '60'],
    ] as const) {
      const selection = `-p tcp -s 192.168.${base}.10 --sport 40000`.split(' ');
      await host.exec(['conntrack', '-U', ...selection, '-m', '1234']);
      await host.exec(['conntrack', '-D', ...`-p udp -s 192.168.${base}.10`.split(' ')]);
    }
    await waitFor(async () => {
      const { ours, theirs } = await agree();
      return (
        ours.length === 7 &&
        theirs.length === 7 &&
        [ours, theirs].every((lines) => lines.some((line) => line.includes('mark=1234')))
      );
    });
    const network = await conntrackd.client('-s', 'network');
    expect(network).toMatch(/Malformed messages:\s+0/);
    await keepstate.request({ verb: 'stats' });
    expect(keepstate.status?.peer).toMatchObject({ malformed: 0, strangers: 0 });
  });

  // Only FTFW promises this, and a stream loses nothing.
  const reliably = mode === 'FTFW' && kind !== 'tcp' ? [50] : [];
  for (const percent of reliably) {
    test(`converges after loss of ${percent} % of the datagrams`, async () => {
      await losing(percent);
    });
  }

  async function losing(percent: number): Promise<void> {
    for (const host of [a, b]) await host.loseInput(percent, 'udp dport 3780');
    for (let port = 1; port <= 20; port++) {
      const flow = `-p udp -d 198.51.100.9 --sport ${port} --dport 53 -t 1200`;
      await a.exec(`conntrack -I -s 192.168.50.20 ${flow}`.split(' '));
      await b.exec(`conntrack -I -s 192.168.60.20 ${flow}`.split(' '));
    }
    for (const host of [a, b]) await host.loseInput(0);
    await waitFor(async () => {
      const { ours, theirs } = await agree();
      return ours.length === 27 && theirs.length === 27;
    });
  }

  test('a keepstate that is started again is whole, and tells conntrackd everything', async () => {
    const before = (await keepstate.list('internal', false)).length;
    await keepstate.stop();
    keepstate = await start();
    await conntrackd.client('-f', 'external');
    await keepstate.request({ verb: 'bulk' });
    await waitFor(async () => (await agree()).ours.length === before);
    // And from the other side.
    await conntrackd.client('-B');
    if (mode !== 'ALARM') await conntrackd.client('-n');
    await waitFor(async () => (await agree()).ours.length === before);
  });
});
