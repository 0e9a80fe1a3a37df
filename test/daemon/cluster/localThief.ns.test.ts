/**
 * A user of one of the two machines, without privileges, who wants the ports of the sync link: while
 * the daemon runs, in the moment in which it restarts, and afterwards. With and without keys, on
 * either node. He is named, nothing that he says moves the other node or reaches its kernel, and
 * with keys he reads nothing.
 */
import { writeFileSync } from 'node:fs';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { startServer, startTcp } from '../../lab/traffic.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const { sync } = pairAddresses;
const ports = [3_780, 3_781] as const;
const refusals = ['sync-link-refused', 'peer-channel-refused'] as const;
const flows = 20;
const sealMagic = 'e5';

/** Takes the port as soon as it is free, again and again; tells of what arrives the first byte. */
const program = `
  const [port, address] = process.argv.slice(1);
  let isRefused = false;
  const attempt = () => {
    const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', (error) => {
      if (!isRefused) console.log(error.code);
      isRefused = true;
      socket.close();
      setTimeout(attempt, 2);
    });
    socket.on('message', (bytes) => console.log('got ' + bytes.toString('hex', 0, 1)));
    socket.bind(Number(port), address, () => console.log('bound'));
  };
  attempt();`;

describe.each([
  ['without keys', false],
  ['with keys', true],
] as const)('%s', (_name, isSealed) => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];
  let opened = 0;

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const globalLines = isSealed
      ? ['sync_key 1 file:@DIRECTORY@/one.key', 'sync_active_key 1']
      : [];
    const [fw1, fw2] = pair.firewalls;
    for (const { directory } of pair.firewalls) {
      writeFileSync(`${directory}/one.key`, `hex:${'0123456789abcdef'.repeat(4)}\n`, {
        mode: 0o600,
      });
    }
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0, globalLines })),
      new KeepstateNode(fw2, pairConfig({ index: 1, globalLines })),
    ];
    await startServer(pair.server);
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
    await nodes[1].waitForRole('BACKUP');
  });

  afterAll(async () => {
    await lab.close();
  });

  /** One for each port. */
  function thieves(index: 0 | 1): ManagedProcess[] {
    const user = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
    return ports.map((port) =>
      pair.firewalls[index].start([
        ...user,
        ...[process.execPath, '-e', program, '--', String(port), sync[index]],
      ]),
    );
  }

  /** Twenty more connections, which the BACKUP holds as well. */
  async function openFlows(): Promise<void> {
    opened += flows;
    await nodes[0].waitForRole('MASTER');
    await startTcp(pair.client, { server: pairAddresses.server, count: flows });
    await nodes[1].waitForStatus(
      ({ sync: replica }) =>
        (replica?.external.entries ?? 0) >= opened &&
        replica?.parity === 'equal' &&
        replica.peer.kind === 'keepstate',
      `${opened} flows in the cache of the standby`,
    );
  }

  /** What such a user can send in the name of the node: from a port above 1023. */
  async function lie(index: 0 | 1): Promise<void> {
    const other = index === 0 ? 1 : 0;
    const { role } = await nodes[other].status();
    for (const kind of ['role', 'plant']) {
      const liar = pair.firewalls[index].startTypescript('test/support/sync/attack.ts', [
        ...[kind, sync[index], sync[other], '255', '2', '0'],
      ]);
      await liar.exited();
      expect(liar.jsonLines().at(-1)).toMatchObject({ sent: expect.any(Number) as number });
    }
    expect((await nodes[other].status()).role).toBe(role);
    const { firewalls } = pair;
    expect(await firewalls[other].exec(['conntrack', '-L', '-s', '203.0.113.66'])).toBe('');
  }

  test.each([
    ['fw1', 0],
    ['fw2', 1],
  ] as const)('on %s, before, during and after a restart', async (_host, index) => {
    const node = nodes[index];
    const other = nodes[index === 0 ? 1 : 0];
    await openFlows();
    const waiting = thieves(index);
    for (const one of waiting) await one.waitForOutput('EADDRINUSE');
    await openFlows();
    expect(waiting.map(({ stdout }) => stdout)).toEqual(['EADDRINUSE\n', 'EADDRINUSE\n']);

    await node.stop();
    for (const one of waiting) await one.waitForOutput('bound');
    await other.waitForRole('MASTER');
    await lie(index);
    await node.start();
    const { problems } = await node.waitForStatus(
      (status) => refusals.every((code) => status.problems.some((one) => one.code === code)),
      'the ports to be missed',
    );
    for (const code of refusals) {
      const found = problems.find((one) => one.code === code);
      expect(found?.text).toMatch(/belongs to a process .*\(uid 65534\)/);
    }
    for (const one of waiting) {
      await one.waitForOutput('got');
      const got = new Set(one.stdout.match(/(?<=got )../g));
      if (isSealed) expect(got).toEqual(new Set([sealMagic]));
      else expect(got).not.toContain(sealMagic);
    }

    for (const one of waiting) await one.kill();
    await node.waitForStatus(
      ({ sync: replica }) => replica?.state === 'synchronised' && replica.peer.kind === 'keepstate',
      'the peer to be heard again',
    );
    const late = thieves(index);
    for (const one of late) await one.waitForOutput('EADDRINUSE');
    await openFlows();
    for (const one of late) await one.kill();
  });
});
