/**
 * A pair is led through what can be wrong with two nodes: each says it, with its exit code, and
 * says when it is over.
 */
import type { Problem, StatusAnswer } from '../../../src/control/statusAnswer.js';
import { pairAddresses } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { firewallPair, type FirewallPair } from '../../lab/firewallPair.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig, type PairConfigOptions } from '../../support/daemon/pairConfig.js';

jest.setTimeout(300_000);

const { lanVip } = pairAddresses;
const authentication = ['authentication {', '  auth_type PASS', '  auth_pass secret', '}'];

let lab: Lab;
let pair: FirewallPair;
let fw1: KeepstateNode;
let fw2: KeepstateNode;

const config = (index: 0 | 1, more: Partial<PairConfigOptions> = {}): string =>
  pairConfig({ index, instances: 'group', ...more });

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  fw1 = new KeepstateNode(pair.firewalls[0], config(0));
  fw2 = new KeepstateNode(pair.firewalls[1], config(1));
  await Promise.all([fw1.start(), fw2.start()]);
  await settled();
});

afterAll(async () => {
  await lab.close();
});

const codes = (problems: readonly Problem[]): string[] => problems.map(({ code }) => code);
const goesOn = ({ problems }: StatusAnswer, code: string): boolean =>
  problems.some((one) => one.code === code && one.ended === undefined);

/** fw1 is MASTER, fw2 BACKUP and synchronised, and nothing goes on. */
async function settled(): Promise<void> {
  const isQuiet = (role: string) => (status: StatusAnswer) =>
    status.role === role &&
    status.phase === 'steady' &&
    status.sync?.state === 'synchronised' &&
    status.problems.every(({ ended }) => ended !== undefined);
  await fw1.waitForStatus(isQuiet('MASTER'), 'fw1 to be a MASTER without problems');
  await fw2.waitForStatus(isQuiet('BACKUP'), 'fw2 to be a BACKUP without problems');
}

/** A busy machine may have been late meanwhile, which is a problem for as long as it goes on. */
async function isWell(): Promise<void> {
  await waitFor(async () => (await exitCodes()).every((code) => code === 0), {
    description: 'status of both to exit with 0',
  });
}

/** Of `status`, as a monitor asks it. */
async function exitCodes(): Promise<(number | null)[]> {
  return Promise.all([fw1, fw2].map(async (node) => (await node.cli('status')).exitCode));
}

async function begins(node: KeepstateNode, code: string): Promise<Problem> {
  const status = await node.waitForStatus((one) => goesOn(one, code), code);
  const found = status.problems.find((one) => one.code === code);
  if (found === undefined) throw new Error('it was just there');
  return found;
}

async function ends(node: KeepstateNode, code: string): Promise<StatusAnswer> {
  return node.waitForStatus((one) => !goesOn(one, code), `the end of ${code}`);
}

async function acknowledgeAll(): Promise<void> {
  for (const node of [fw1, fw2]) expect((await node.cli('acknowledge')).exitCode).toBe(0);
}

test('both nodes tell who is MASTER, and each the role of the other', async () => {
  await acknowledgeAll();
  await isWell();
  expect((await fw1.status()).sync?.peer).toMatchObject({
    role: 'BACKUP',
    units: [{ name: 'G1' }],
  });
  expect((await fw2.status()).sync?.peer).toMatchObject({ role: 'MASTER' });
  expect((await fw2.cli('status')).stdout).toMatch(
    /^fw1 is MASTER since .*\n {2}this node, fw2, is/,
  );
});

test('VRRP that is filtered: two masters on both, and for an hour after that or until acknowledged', async () => {
  for (const host of pair.firewalls) await host.loseInput(100, 'ip protocol vrrp');
  for (const node of [fw1, fw2]) {
    expect(await begins(node, 'two-masters')).toMatchObject({ severity: 'error', lasting: true });
    expect((await node.cli('status')).stdout).toMatch(/^TWO MASTERS: /);
  }
  expect(await exitCodes()).toEqual([1, 1]);
  for (const host of pair.firewalls) await host.loseInput(0);
  await settled();
  expect(await exitCodes()).toEqual([1, 1]);
});

test('a lasting problem outlives the daemon', async () => {
  await fw2.stop();
  expect(
    codes((await fw1.waitForStatus((one) => goesOn(one, 'no-standby'), 'no standby')).problems),
  ).toContain('sync-peer-lost');
  expect(await exitCodes()).toEqual([1, 2]);
  await fw2.start();
  await settled();
  const [split] = (await fw2.status()).problems.filter(({ code }) => code === 'two-masters');
  expect(split?.ended).toBeDefined();
  expect(codes((await fw1.status()).endedProblems)).toContain('no-standby');
  const seen = await fw2.cli('acknowledge', 'two-masters', '--json');
  expect(JSON.parse(seen.stdout)).toMatchObject({ counts: { acknowledged: 1 } });
  await acknowledgeAll();
  await isWell();
});

test('an address that somebody adds on the BACKUP', async () => {
  await pair.firewalls[1].ip(`addr add ${lanVip}/24 dev lan`);
  expect((await begins(fw2, 'vip-not-ours')).text).toContain(lanVip);
  expect(await exitCodes()).toEqual([0, 1]);
  await pair.firewalls[1].ip(`addr del ${lanVip}/24 dev lan`);
  expect(codes((await ends(fw2, 'vip-not-ours')).endedProblems)).toContain('vip-not-ours');
  await isWell();
});

test('maintenance of the BACKUP: no standby, and a hand-over is refused with its name', async () => {
  expect((await fw2.cli('maintenance', 'on')).exitCode).toBe(0);
  await begins(fw2, 'maintenance');
  expect((await begins(fw1, 'no-standby')).text).toContain('the peer fw2 is in maintenance');
  expect(await exitCodes()).toEqual([1, 1]);
  const refused = await fw1.cli('failover');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain('the peer fw2 says: in maintenance');
  expect((await fw2.cli('maintenance', 'off')).exitCode).toBe(0);
  await settled();
  await isWell();
});

test('a FAULT of the BACKUP: no standby', async () => {
  await pair.firewalls[1].ip('link set wan down');
  expect((await begins(fw1, 'no-standby')).text).toContain('the peer fw2 is in FAULT');
  await begins(fw2, 'fault');
  expect(await exitCodes()).toEqual([1, 1]);
  await pair.firewalls[1].ip('link set wan up');
  await settled();
});

test('a file that would not start, and a reload that is refused, until it is mended', async () => {
  const right = config(0);
  fw1.writeConfig(`${right}\nvrrp_instanze X { }\n`);
  await begins(fw1, 'config-broken');
  expect((await fw1.cli('reload')).exitCode).toBe(1);
  await begins(fw1, 'reload-refused');
  expect(await exitCodes()).toEqual([1, 0]);
  fw1.writeConfig(right);
  expect((await fw1.cli('reload')).exitCode).toBe(0);
  await isWell();
  expect(await exitCodes()).toEqual([0, 0]);
});

test('peer_port blocked: the peer that was a keepstate has fallen silent there', async () => {
  await pair.firewalls[0].loseInput(100, 'udp dport 3781');
  expect((await begins(fw1, 'peer-channel-silent')).text).toContain('peer_port');
  const { stdout } = await fw1.cli('status');
  expect(stdout.replace(/\s+/g, ' ')).toContain('a conntrackd, or peer_port is blocked');
  // The other node hears this one, which says that it hears nothing.
  await begins(fw2, 'peer-hears-nothing');
  await pair.firewalls[0].loseInput(0);
  await ends(fw1, 'peer-channel-silent');
  await ends(fw2, 'peer-hears-nothing');
});

test('another password: another MASTER is heard and rejected, on both', async () => {
  fw2.writeConfig(config(1, { instanceLines: authentication }));
  expect((await fw2.cli('reload')).exitCode).toBe(0);
  for (const node of [fw1, fw2]) {
    expect((await begins(node, 'master-rejected')).remedy).toContain('auth_');
  }
  expect(await exitCodes()).toEqual([1, 1]);
  fw2.writeConfig(config(1));
  expect((await fw2.cli('reload')).exitCode).toBe(0);
  for (const node of [fw1, fw2]) await ends(node, 'master-rejected');
});
