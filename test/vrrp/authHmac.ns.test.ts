/**
 * auth_hmac between two routers, both versions over both families, and against a neighbour without
 * the key.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecretFile } from '../../src/base/secretFile.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { junkKinds } from '../support/vrrp/junk.js';
import { VrrpPair, type PairOptions } from '../support/vrrp/pair.js';
import { KeepstateNode } from '../support/vrrp/peers.js';

const timeout = 240_000;
const key = `hex:${'00112233445566778899aabbccddeeff'.repeat(2)}`;

let lab: Lab;
let folder = '';
let hmac = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-hmac-'));
  createSecretFile(join(folder, 'key'), key);
  hmac = `auth_hmac {\n key 1 file:${join(folder, 'key')}\n active_key 1\n}`;
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true });
}, 300_000);

const ways: readonly Omit<PairOptions, 'id' | 'kinds'>[] = [
  { version: 2 },
  { version: 3, unicast: true },
  { version: 2, ipv6: true, unicast: true },
  { version: 3, ipv6: true },
];

/** Reasons for which `b` has refused adverts. */
async function refusedBy(pair: VrrpPair): Promise<readonly string[]> {
  const peer = pair.peer('b');
  if (!(peer instanceof KeepstateNode)) throw new Error('b is no keepstate');
  const { snapshot } = await peer.report();
  return snapshot.instances.flatMap(({ problems }) => problems.map(({ text }) => text));
}

let count = 0;
test.concurrent.each(ways)(
  '%j: the role moves with signed adverts, and none is refused',
  async (way) => {
    const kinds = { a: 'keepstate', b: 'keepstate' } as const;
    const pair = await VrrpPair.build(lab, {
      id: `h${count++}`,
      kinds,
      ...way,
      instanceText: hmac,
    });
    await Promise.all([pair.start('a'), pair.start('b')]);
    await pair.settle('a', 'MASTER');
    await pair.settle('b', 'BACKUP');
    await pair.peer('a').kill();
    await pair.settle('b', 'MASTER');
    await pair.start('a');
    await pair.settle('a', 'MASTER');
    await pair.settle('b', 'BACKUP');
    expect(await refusedBy(pair)).toEqual([]);
  },
  timeout,
);

test(
  'adverts without a signature move no role, and are counted under their reason',
  async () => {
    const [subject, attacker] = await lab.hosts('hus', 'hux');
    const lan = await lab.bridge('hun');
    if (subject === undefined || attacker === undefined) throw new Error('no hosts');
    await lan.attach(subject, 'eth0', ['10.0.0.1/24']);
    await lan.attach(attacker, 'eth0', ['10.0.0.66/24']);
    const instance = { name: 'V', interfaceName: 'eth0', vrid: 51, priority: 100 };
    const node = await KeepstateNode.start(subject, {
      instanceText: hmac,
      instances: [{ ...instance, vips: ['10.0.0.100/24'] }],
    });
    await waitFor(async () => (await node.state('V')) === 'MASTER', { description: 'MASTER' });
    const flood = attacker.startTypescript('test/support/vrrp/flood.ts', [
      ...['eth0', '0', '5', junkKinds.join(',')],
    ]);
    expect((await flood.exited()).code).toBe(0);
    const missing = await waitFor(async () => {
      const { snapshot } = await node.report();
      return snapshot.instances[0]?.problems.find(({ reason }) => reason === 'authMissing');
    });
    expect(missing.count).toBeGreaterThanOrEqual(5);
    expect(missing.remedy).toContain('auth_hmac');
    expect(await node.state('V')).toBe('MASTER');
    expect(node.history('V')).toEqual(['BACKUP', 'MASTER']);
    expect((await node.report()).stats).toMatch(
      /Authentication Extension Errors:\n {4}Missing: \d+/,
    );
    expect(node.process.stderr + node.process.stdout).not.toContain('00112233');
  },
  timeout,
);
