/**
 * The peer channel of a pair whose sync link is a group, on the wire, with and without keys: it goes
 * to the other node's own address, to the group where a firewall knows the group alone, and is there
 * again after a restart.
 */
import { writeFileSync } from 'node:fs';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { CapturedFrame } from '../../lab/capture.js';
import { firewallPair, pairAddresses, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const [, sync2] = pairAddresses.sync;
const group = '225.0.0.50';
const peerPort = 3_781;
const keys = ['sync_key 1 file:@DIRECTORY@/one.key', 'sync_active_key 1'];

interface Said {
  readonly to: string;
  readonly ttl: number;
  readonly fromPort: number;
  /** Of what is not sealed. */
  readonly kind: string | undefined;
  readonly isSealed: boolean;
}

function saidIn({ bytes }: CapturedFrame): Said {
  const payload = bytes.subarray(14 + 20 + 8);
  return {
    to: bytes.subarray(30, 34).join('.'),
    ttl: bytes[14 + 8] ?? 0,
    fromPort: bytes.readUInt16BE(14 + 20),
    kind: /"kind":"(\w+)"/.exec(payload.toString('latin1'))?.[1],
    isSealed: payload[0] === 0xe5,
  };
}

describe.each([
  ['without keys', false],
  ['with keys', true],
] as const)('%s', (_name, isSealed) => {
  let lab: Lab;
  let pair: FirewallPair;
  let nodes: readonly [KeepstateNode, KeepstateNode];

  beforeAll(async () => {
    lab = await Lab.open();
    pair = await firewallPair(lab);
    const globalLines = isSealed ? keys : [];
    for (const { directory } of pair.firewalls) {
      const key = `hex:${'0123456789abcdef'.repeat(4)}\n`;
      writeFileSync(`${directory}/one.key`, key, { mode: 0o600 });
    }
    const [fw1, fw2] = pair.firewalls;
    nodes = [
      new KeepstateNode(fw1, pairConfig({ index: 0, globalLines, link: 'Multicast' })),
      new KeepstateNode(fw2, pairConfig({ index: 1, globalLines, link: 'Multicast' })),
    ];
    await Promise.all(nodes.map((node) => node.start()));
    await nodes[0].waitForRole('MASTER');
    await bothEqual();
  });

  afterAll(async () => {
    await lab.close();
  });

  const isEqual = ({ sync }: StatusAnswer): boolean =>
    sync?.parity === 'equal' && sync.peer.kind === 'keepstate';

  async function bothEqual(): Promise<void> {
    await Promise.all(nodes.map((node) => node.waitForStatus(isEqual, 'equal caches')));
  }

  /** What leaves fw1 on the peer channel from now on, until it suits. */
  async function heard(suits: (said: readonly Said[]) => boolean): Promise<readonly Said[]> {
    const filter = `udp and dst port ${peerPort}`;
    const capture = await pair.firewalls[0].capture('sync', { filter, direction: 'out' });
    await waitFor(() => suits(capture.frames().map(saidIn)), {
      description: 'what is expected on the peer channel',
      timeout: 60_000,
    });
    return (await capture.stop()).map(saidIn);
  }

  /** Several seconds of it. */
  const goesDirectly = (said: readonly Said[]): boolean =>
    said.slice(-12).filter(({ to }) => to === sync2).length >= 7;

  async function firewall(rule: string): Promise<void> {
    await pair.firewalls[1].nft(
      `table ip direct {}\ndelete table ip direct\n` +
        `table ip direct { chain c { type filter hook input priority 0; ${rule} }; }\n`,
    );
  }

  test('it goes to the other node’s address, with TTL 255 from a low port; greetings to the group too', async () => {
    await heard(goesDirectly);
    const said = await heard((now) => now.length >= 12);
    expect(new Set(said.map(({ to }) => to))).toEqual(new Set([sync2, group]));
    const direct = said.filter(({ to }) => to === sync2);
    const inGroup = said.filter(({ to }) => to === group);
    expect(direct.length).toBeGreaterThan(inGroup.length);
    expect(new Set(direct.map(({ ttl }) => ttl))).toEqual(new Set([255]));
    expect(said.every(({ fromPort }) => fromPort < 1_024)).toBe(true);
    expect(said.every((one) => one.isSealed === isSealed)).toBe(true);
    if (isSealed) return;
    expect(new Set(inGroup.map(({ kind }) => kind))).toEqual(new Set(['hello']));
    expect(new Set(direct.map(({ kind }) => kind))).toContain('digest');
  });

  test('where unicast is dropped it goes to the group, and the peer is not missed', async () => {
    await firewall(`ip daddr ${sync2} udp dport ${peerPort} drop;`);
    const said = await heard((now) => now.slice(-12).filter(({ to }) => to === group).length >= 9);
    if (!isSealed) expect(said.map(({ to, kind }) => `${to} ${kind}`)).toContain(`${group} digest`);
    await bothEqual();
    for (const node of nodes) {
      const entries = (await node.status()).problems;
      expect(entries.map(({ code }) => code)).not.toContain('sync-stranger');
    }
    await firewall('');
    await heard(goesDirectly);
    await bothEqual();
  });

  test.each([
    ['fw2', 1],
    ['fw1', 0],
  ] as const)('%s starts again: it is found, and is no stranger for long', async (_host, index) => {
    const node = nodes[index];
    await node.stop();
    await node.start();
    await nodes[0].waitForRole('MASTER');
    await bothEqual();
    await heard(goesDirectly);
    for (const each of nodes) {
      // A word that crosses the change of ways may be taken for another socket's, once.
      await each.waitForStatus(
        ({ problems }) => problems.every(({ code }) => code !== 'sync-stranger'),
        'nobody to be taken for a stranger any more',
        { timeout: 90_000 },
      );
    }
  });
});
