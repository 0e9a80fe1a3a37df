/**
 * Flows that a helper of the kernel expects, between two keepstates behind source NAT: what one
 * firewall expected goes through the other after a takeover, in both ways.
 */
import {
  firewallPair,
  firewallRuleset,
  pairAddresses,
  type FirewallPair,
} from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import type { ManagedProcess } from '../lab/managedProcess.js';
import { waitFor } from '../lab/waitFor.js';
import { setTimeout as delay } from 'node:timers/promises';
import type { SyncSettings } from '../../src/sync/settings.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(120_000);

const { server, sync } = pairAddresses;

const helpers = `
table inet helpers {
  ct helper ftp { type "ftp" protocol tcp; }
  ct helper sip { type "sip" protocol udp; }
  ct helper tftp { type "tftp" protocol udp; }
  chain assign {
    type filter hook prerouting priority 0;
    tcp dport 21 ct helper set "ftp"
    udp dport 5060 ct helper set "sip"
    udp dport 69 ct helper set "tftp"
  }
}
`;

type Index = 0 | 1;

describe('flows of helpers between two keepstates', () => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: [SyncNode, SyncNode];
  let epoch = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab, { bare: true });
    for (const firewall of pair.firewalls) {
      await firewall.nft(firewallRuleset() + helpers);
      await firewall.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 0 });
    }
    nodes = [await start(0), await start(1)];
    await pair.takeVips(0);
    await becomes(0);
  });

  afterAll(async () => {
    await lab.close();
  });

  function start(index: Index, changes: Partial<SyncSettings> = {}): Promise<SyncNode> {
    const other = index === 0 ? sync[1] : sync[0];
    const link = { kind: 'udp', local: sync[index], destination: other } as const;
    const settings = settingsOf([{ ...link, interfaceName: 'sync' }], {
      expectationSync: 'all',
      tcpWindowTracking: true,
      ...changes,
    });
    return SyncNode.start(pair.firewalls[index], settings);
  }

  async function becomes(index: Index): Promise<void> {
    epoch++;
    const before = nodes[index].reports('committed').length;
    nodes[1 - index]?.command({ kind: 'becomeBackup', epoch, peerHeard: true });
    nodes[index].command({ kind: 'becomeMaster', epoch, preCommitted: false });
    expect(await nodes[index].waitForReport('committed', before)).toMatchObject({ failed: 0 });
    nodes[index].command({ kind: 'takeoverComplete', epoch });
  }

  async function takesOver(index: Index): Promise<void> {
    await becomes(index);
    await pair.takeVips(index);
  }

  const lines = (text: string, part: string): string[] =>
    text.split('\n').filter((line) => line.includes(part));

  /** The peer's external cache has as many expectations of the helper as the kernel of `from`. */
  async function replicated(from: Index, helper: string): Promise<void> {
    const node = from === 0 ? nodes[1] : nodes[0];
    await waitFor(
      async () => {
        const kernel = await pair.firewalls[from].conntrack('-L', 'expect');
        const expected = lines(kernel, `helper=${helper}`).length;
        return expected > 0 && lines(await node.client(41), `helper=${helper}`).length === expected;
      },
      { description: `expectations of ${helper} at the peer` },
    );
  }

  const ways: readonly (readonly [Index, Index])[] = [
    [0, 1],
    [1, 0],
  ];

  describe.each([
    ['sip', 'media of an INVITE'],
    ['tftp', 'data of a read request'],
  ])('%s', (protocol, name) => {
    let program: ManagedProcess;

    beforeAll(async () => {
      program = pair.server.startTypescript('test/support/conntrack/flowFirstPacket.ts', [
        'server',
      ]);
      await program.waitForOutput('"ready":true');
    });

    afterAll(async () => {
      await program.kill();
    });

    test.each(ways)(
      `the ${name} that was its flow’s first packet, from %i to %i`,
      async (from, to) => {
        const asked = program.jsonLines().length;
        const client = pair.client.startTypescript('test/support/conntrack/flowFirstPacket.ts', [
          'client',
          protocol,
          server,
        ]);
        await waitFor(() => program.jsonLines().length > asked, { description: 'the request' });
        await replicated(from, protocol);
        await takesOver(to);
        program.write(`${protocol}\n`);
        await waitFor(() => client.jsonLines().length > 0, { description: 'the data' });
        expect(client.jsonLines()).toEqual([{ data: `${protocol} data` }]);
        await client.kill();
      },
    );
  });

  describe('ftp', () => {
    let program: ManagedProcess;

    beforeAll(async () => {
      const args = ['server', 'hold'];
      program = pair.server.startTypescript('test/support/conntrack/flowFtp.ts', args);
      await program.waitForOutput('"ready":true');
    });

    afterAll(async () => {
      await program.kill();
    });

    test.each(ways)(
      'the command behind a PORT that NAT made longer, from %i to %i',
      async (from, to) => {
        const client = pair.client.startTypescript('test/support/conntrack/flowFtp.ts', [
          'client',
          server,
        ]);
        await client.waitForOutput('"ready":true');
        client.write('\n');
        await replicated(from, 'ftp');
        // The flow is read 100 to 200 ms after its expectation came.
        await delay(500);
        await takesOver(to);
        client.write('go\n');
        await waitFor(() => client.jsonLines().length === 2, {
          description: 'the data connection',
          timeout: 40_000,
        });
        expect(client.jsonLines()[1]).toEqual({ data: true });
        await client.kill();
      },
    );
  });

  test('without caches the expectation stands in the other kernel behind its master', async () => {
    for (const node of nodes) await node.stop();
    const changes: Partial<SyncSettings> = {
      mode: 'NOTRACK',
      disableInternalCache: true,
      disableExternalCache: true,
    };
    nodes = [await start(0, changes), await start(1, changes)];
    await pair.takeVips(0);
    for (const firewall of pair.firewalls) await firewall.conntrack('-F');
    const client = pair.client.startTypescript('test/support/conntrack/flowFirstPacket.ts', [
      'client',
      'tftp',
      server,
    ]);
    await waitFor(
      async () => {
        const kernel = await pair.firewalls[1].conntrack('-L', 'expect');
        return lines(kernel, 'helper=tftp').length === 1;
      },
      { description: 'the expectation in the other kernel', timeout: 20_000 },
    );
    await client.kill();
  });
});
