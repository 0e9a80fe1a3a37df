/**
 * DisableExternalCache on both nodes: what the peer says of a flow that this node carries does not
 * end it, and who is MASTER has taken over what was injected for the other.
 */
import { milliseconds } from '../../../src/base/time.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { settingsOf, SyncNode } from '../../support/sync/node.js';

jest.setTimeout(120_000);

const one = '198.51.100.9';

describe('two nodes that inject the flows of each other', () => {
  let lab: Lab;
  let hosts: readonly [Host, Host];
  const nodes: SyncNode[] = [];

  async function start(which: 0 | 1): Promise<void> {
    const [local, destination] = [`10.99.0.${1 + which}`, `10.99.0.${2 - which}`];
    nodes[which] = await SyncNode.start(
      hosts[which],
      settingsOf([{ kind: 'udp', local, destination, interfaceName: 'sync' }], {
        nodeName: 'ab'[which] ?? '',
        disableExternalCache: true,
        purgeTimeout: milliseconds(200),
      }),
    );
  }

  beforeAll(async () => {
    lab = await Lab.open();
    hosts = (await lab.hosts('a', 'b')) as [Host, Host];
    await lab.link(
      { host: hosts[0], name: 'sync', addresses: ['10.99.0.1/24'] },
      { host: hosts[1], name: 'sync', addresses: ['10.99.0.2/24'] },
    );
    await start(0);
    await start(1);
    standby(1, 0);
    master(0, 0);
  });

  afterAll(async () => {
    await lab.close();
  });

  function master(which: 0 | 1, epoch: number): void {
    nodes[which]!.command({ kind: 'becomeMaster', epoch, preCommitted: false });
    nodes[which]!.command({ kind: 'takeoverComplete', epoch });
  }

  function standby(which: 0 | 1, epoch: number): void {
    nodes[which]!.command({ kind: 'becomeBackup', epoch, peerHeard: true });
  }

  async function conntrack(
    which: 0 | 1,
    change: '-I' | '-U' | '-D',
    port: number,
    rest = '',
  ): Promise<void> {
    const flow = `${change} -p tcp -s 192.168.5.5 -d ${one} --sport ${port} --dport 80 ${rest}`;
    await hosts[which].exec(['conntrack', ...flow.trim().split(' ')]);
  }

  /** Seconds that the flow has left, by port. */
  async function kernel(which: 0 | 1): Promise<ReadonlyMap<number, string>> {
    const lines = (await hosts[which].conntrack('-L', '-p', 'tcp', '-d', one)).split('\n');
    const found = lines.flatMap((line) => {
      const parts = /^tcp +6 (\d+) (\w+) .*? sport=(\d+)/.exec(line);
      return parts === null ? [] : [[Number(parts[3]), `${parts[2]} ${parts[1]}`] as const];
    });
    return new Map(found);
  }

  async function holds(which: 0 | 1, ...ports: readonly number[]): Promise<void> {
    await waitFor(
      async () => {
        expect([...(await kernel(which)).keys()].sort()).toEqual(ports);
        return true;
      },
      {
        description: `the flows ${ports.join(', ')} in the kernel of node ${which}`,
        timeout: 20_000,
      },
    );
  }

  /** What follows is known at the other node when a flow that was made afterwards is. */
  async function told(from: 0 | 1, port: number): Promise<void> {
    await conntrack(from, '-I', port, '--state ESTABLISHED -u SEEN_REPLY -t 3000');
    const other = from === 0 ? 1 : 0;
    await waitFor(async () => (await kernel(other)).has(port), {
      description: `flow ${port} there`,
    });
  }

  test('the MASTER’s flow outlives an end and a last second that the other tells', async () => {
    await conntrack(0, '-I', 1001, '--state ESTABLISHED -u SEEN_REPLY -t 3000');
    await told(0, 1002);
    await holds(1, 1001, 1002);
    await conntrack(1, '-U', 1001, '--state TIME_WAIT -t 1 -m 7');
    await conntrack(1, '-U', 1002, '--state ESTABLISHED -t 900 -m 7');
    await conntrack(1, '-D', 1002);
    await told(1, 1003);
    const flows = await kernel(0);
    expect(flows.get(1001)).toMatch(/^ESTABLISHED (2\d{3}|3000)$/);
    expect(flows.get(1002)).toMatch(/^ESTABLISHED (2\d{3}|3000)$/);
  });

  test('what the MASTER ends ends at the other too', async () => {
    for (const port of [1001, 1002]) await conntrack(0, '-D', port);
    await holds(0, 1003);
    await holds(1, 1003);
  });

  test('a leftover that ends on the former MASTER stays where it is served now', async () => {
    await told(0, 1004);
    await told(0, 1005);
    const before = nodes[1]!.reports('takeoverDone').length;
    standby(0, 1);
    master(1, 1);
    await nodes[1]!.waitForReport('takeoverDone', before);
    await conntrack(0, '-D', 1004);
    await told(0, 1006);
    await holds(1, 1003, 1004, 1005, 1006);
  });

  test('the MASTER ends what was told to it: it is gone at the former one', async () => {
    await conntrack(1, '-D', 1005);
    await waitFor(async () => !(await kernel(0)).has(1005), { description: 'the end there' });
  });

  test('a node that comes back with an empty kernel is told all that the MASTER carries', async () => {
    await nodes[0]!.stop();
    await hosts[0].exec(['conntrack', '-F']);
    await start(0);
    await holds(0, 1003, 1004);
  });
});
