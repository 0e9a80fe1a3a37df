/**
 * A daemon whose configuration has `Stats` alone, as Debian installs conntrackd: it is ready, has
 * its sockets, answers status and client, follows a reload and SIGHUP, and ends at `-k`.
 */
import { existsSync, renameSync, statSync } from 'node:fs';
import type { Host } from '../../lab/host.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { linesOf } from '../../support/sync/statisticsNode.js';

jest.setTimeout(300_000);

const general = `General {
  HashSize 8192
  HashLimit 65535
  LockFile @DIRECTORY@/lock
  UNIX { Path @DIRECTORY@/conntrackd.ctl }
}
`;
const stats = (lines: string): string => `${general}Stats {\n  ${lines}\n}\n`;

describe('a node with Stats alone', () => {
  let lab: Lab;
  let host: Host;
  let node: KeepstateNode;
  let log = '';

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host('router');
    await host.sysctl({ 'net.netfilter.nf_conntrack_acct': 1 });
    log = `${host.directory}/stats.log`;
    node = new KeepstateNode(host, stats('LogFile @DIRECTORY@/stats.log'));
    await node.start();
  });

  afterAll(async () => {
    await lab.close();
  });

  let port = 0;

  /** A connection that begins and ends. */
  async function connection(): Promise<void> {
    const tuple = ['-p', 'udp', '-s', '10.8.0.1', '-d', '10.9.0.1'];
    const ports = ['--sport', String(++port), '--dport', '53'];
    await host.exec(['conntrack', '-I', ...tuple, ...ports, '-t', '600']);
    await host.exec(['conntrack', '-D', ...tuple, ...ports]);
  }

  const client = async (...args: string[]): Promise<string> => {
    const file = host.file('client.conf', stats('').replaceAll('@DIRECTORY@', host.directory));
    return host.exec(['conntrackd', '-C', file, ...args]);
  };

  const cli = (...args: string[]): Promise<string> =>
    host.exec([...keepstateCommand(), ...args, '--control', node.controlPath]);

  test('it logs, and says so', async () => {
    await connection();
    await waitFor(() => linesOf(log).length === 1, { description: 'the line' });
    expect(linesOf(log)[0]).toMatch(
      /\tudp {6}17 src=10\.8\.0\.1 .*packets=0 bytes=0 \[UNREPLIED\]/,
    );
    expect(statSync(log).mode & 0o777).toBe(0o600);
    const status = await node.waitForStatus(
      (one) => one.statistics?.outputs[0]?.written === 1,
      'the line in the status',
    );
    expect(status.sync).toBeUndefined();
    expect(status.problems).toEqual([]);
    expect(status.statistics).toMatchObject({
      state: 'logging',
      format: 'conntrackd',
      logged: 1,
      outputs: [{ kind: 'file', target: log, written: 1, lost: 0, waiting: 0 }],
      entries: 0,
      limit: 65_535,
    });
    expect(await cli('status')).toMatch(/STATISTICS logging\n +logged +1 ended connections/);
  });

  test('conntrackd’s client, stats and flows are answered; verbs of a peer are refused', async () => {
    expect(await client('-s')).toMatch(/^cache stats:\ncurrent active connections:\t +0\n/);
    expect(await cli('stats')).toBe(await client('-s'));
    await host.exec(
      'conntrack -I -p udp -s 10.8.0.2 -d 10.9.0.1 --sport 5 --dport 6 -t 600'.split(' '),
    );
    await waitFor(async () => (await cli('flows', 'internal')).includes('src=10.8.0.2'), {
      description: 'the flow',
    });
    expect(await client('-i')).toContain('src=10.8.0.2');
    const refused = await node.ask({ verb: 'sync', action: 'bulk' });
    expect(refused).toMatchObject({ kind: 'refused', refusal: { code: 'sync-refused' } });
    const done = await node.ask({ verb: 'sync', action: 'resync' });
    expect(done).toMatchObject({ kind: 'answer', result: { counts: { entries: 1 } } });
    await host.exec(['conntrack', '-F']);
  });

  test('SIGHUP leaves a file that was renamed', async () => {
    const before = linesOf(log).length;
    renameSync(log, `${log}.1`);
    node.process.signal('SIGHUP');
    await waitFor(() => existsSync(log), { description: 'the new file' });
    await connection();
    await waitFor(() => linesOf(log).length === 1, { description: 'the line in it' });
    expect(linesOf(`${log}.1`).length).toBeGreaterThanOrEqual(before);
  });

  test('a reload changes form and place, and then the filter', async () => {
    const other = `${host.directory}/other.log`;
    node.writeConfig(stats('LogFile @DIRECTORY@/other.log\n  json on'));
    expect(await node.ask({ verb: 'reload' })).toMatchObject({ kind: 'answer' });
    await connection();
    await waitFor(() => linesOf(other).length === 1, { description: 'the line there' });
    expect(JSON.parse(linesOf(other)[0] ?? '')).toMatchObject({
      protocol: 'udp',
      original: { sourcePort: port, packets: '0' },
    });
    const filter = 'Filter { Protocol Accept { TCP } }\n}\nStats';
    node.writeConfig(stats('LogFile @DIRECTORY@/other.log\n  json on').replace('}\nStats', filter));
    expect(await node.ask({ verb: 'reload' })).toMatchObject({
      kind: 'answer',
      result: { message: expect.stringContaining('started afresh') as string },
    });
    await connection();
    await host.exec(
      'conntrack -I -p tcp -s 10.8.0.3 -d 10.9.0.1 --sport 5 --dport 6 -t 600 --state ESTABLISHED'.split(
        ' ',
      ),
    );
    await host.exec(['conntrack', '-F']);
    await waitFor(() => linesOf(other).length === 2, { description: 'the other line there' });
    expect(JSON.parse(linesOf(other)[1] ?? '')).toMatchObject({ protocol: 'tcp' });
    node.writeConfig('vrrp_instance X {\n  interface lo\n  virtual_router_id 1\n}\n');
    expect(await node.ask({ verb: 'reload' })).toMatchObject({
      kind: 'refused',
      refusal: { code: 'needs-restart' },
    });
  });

  test('-k ends the daemon, and what it had to write is written', async () => {
    node.writeConfig(stats('LogFile @DIRECTORY@/stats.log'));
    const other = `${host.directory}/other.log`;
    const before = linesOf(other).length;
    await host.exec(
      'conntrack -I -p tcp -s 10.8.0.4 -d 10.9.0.1 --sport 5 --dport 6 -t 600 --state ESTABLISHED'.split(
        ' ',
      ),
    );
    await waitFor(async () => (await client('-i')).includes('10.8.0.4'), {
      description: 'the flow',
    });
    await host.exec(['conntrack', '-F']);
    await waitFor(async () => !(await client('-i')).includes('10.8.0.4'), {
      description: 'its end',
    });
    await client('-k');
    expect((await node.process.exited()).code).toBe(0);
    expect(linesOf(other).length).toBe(before + 1);
  });
});
