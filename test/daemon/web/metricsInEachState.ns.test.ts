/**
 * /metrics, /status.json and `status --json` of a pair, in each state that a failover goes through.
 */
import { isDeepStrictEqual } from 'node:util';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { firewallPair, type FirewallPair } from '../../lab/firewallPair.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import { pairConfig } from '../../support/daemon/pairConfig.js';
import { parseExposition, seriesOf } from '../../support/http/exposition.js';
import { differences, metricsOfStatus } from '../../support/http/metricsOfStatus.js';

jest.setTimeout(600_000);

const http = '\nhttp {\n  listen 127.0.0.1 9642\n}\n';
const separator = '\n-- next --\n';

let lab: Lab;
let pair: FirewallPair;
let fw1: KeepstateNode;
let fw2: KeepstateNode;

beforeAll(async () => {
  lab = await Lab.open();
  pair = await firewallPair(lab);
  const [one, two] = pair.firewalls;
  const config = (index: 0 | 1): string =>
    pairConfig({ index, instances: 'group', advertSeconds: 0.2, instanceLines: ['version 3'] }) +
    http;
  fw1 = new KeepstateNode(one, config(0));
  fw2 = new KeepstateNode(two, config(1));
});

afterAll(async () => {
  await lab.close();
});

/** One connection, so soon after each other that both are made from one look at the node. */
async function look(node: KeepstateNode, ...paths: readonly string[]): Promise<readonly string[]> {
  const urls = paths.map((path) => `http://127.0.0.1:9642${path}`);
  const { stdout } = await node.host.tryExec(['curl', '-s', '-m', '20', '-w', separator, ...urls]);
  return stdout.split(separator);
}

/** Until three answers of one moment say the same: what differs in earnest never will. */
async function agreed(node: KeepstateNode): Promise<StatusAnswer> {
  let found: readonly string[] = ['nothing was asked'];
  const same = async (): Promise<StatusAnswer | undefined> => {
    const [json = '', metrics = ''] = await look(node, '/status.json', '/metrics');
    const cli = await node.cli('status', '--json');
    if (!json.startsWith('{')) return undefined;
    const status = JSON.parse(json) as StatusAnswer;
    found = differences(status, seriesOf(metrics));
    const told = JSON.parse(cli.stdout) as StatusAnswer;
    if (!isDeepStrictEqual(lasting(told), lasting(status))) found = [...found, 'status --json'];
    return found.length === 0 ? status : undefined;
  };
  try {
    return await waitFor(same, { description: 'metrics that equal status', timeout: 60_000 });
  } catch (error) {
    throw new Error(found.join('\n'), { cause: error });
  }
}

/** What does not change from one look to the next one. */
function lasting(status: StatusAnswer): unknown {
  const { role, since, reason, groups, instances, maintenance, phase, sync } = status;
  return {
    ...{ role, since, reason, groups, maintenance, phase },
    instances: instances.map(({ name, state, vips, faults }) => ({ name, state, vips, faults })),
    sync: [sync?.state, sync?.parity, sync?.peer.role, sync?.links.map(({ usable }) => usable)],
  };
}

const roles = (status: StatusAnswer): string => `${status.role}, peer ${status.sync?.peer.role}`;

test('a node alone is MASTER', async () => {
  await fw1.start();
  await fw1.waitForRole('MASTER');
  expect(roles(await agreed(fw1))).toBe('MASTER, peer unknown');
});

test('a pair at rest: both know the other', async () => {
  await fw2.start();
  for (const node of [fw1, fw2]) {
    await node.waitForStatus(({ sync }) => sync?.parity === 'equal', 'parity');
  }
  expect(roles(await agreed(fw1))).toBe('MASTER, peer BACKUP');
  const standby = await agreed(fw2);
  expect(roles(standby)).toBe('BACKUP, peer MASTER');
  expect(standby.sync?.parityEqualSince).toBeDefined();
  expect(metricsOfStatus(standby).size).toBeGreaterThan(50);
});

test('a hand-over, and maintenance', async () => {
  expect(await fw1.ask({ verb: 'maintenance', on: true, force: true })).toMatchObject({
    kind: 'answer',
  });
  await fw2.waitForRole('MASTER');
  const old = await agreed(fw1);
  expect([old.role, old.maintenance]).toEqual(['BACKUP', true]);
  expect((await agreed(fw2)).role).toBe('MASTER');
  await fw1.ask({ verb: 'maintenance', on: false, force: false });
  await fw1.waitForRole('MASTER');
  await agreed(fw1);
});

test('the master dies, and returns', async () => {
  fw1.process.signal('SIGKILL');
  await fw1.process.exited();
  await fw2.waitForRole('MASTER');
  await agreed(fw2);
  const [, metrics = ''] = await look(fw2, '/healthz', '/metrics');
  expect(metrics).toMatch(
    /keepstate_role_changes_total{unit="G1",kind="group",to="MASTER",cause="(silence|given-up)"} [12]/,
  );
  expect(metrics).toMatch(/keepstate_takeover_duration_seconds_count [12]/);
  await fw1.start();
  await fw1.waitForRole('MASTER');
  await agreed(fw1);
  await agreed(fw2);
});

test('a fault, and the sync link lost', async () => {
  await fw1.host.exec(['ip', 'link', 'set', 'lan', 'down']);
  await fw1.waitForRole('FAULT');
  expect((await agreed(fw1)).role).toBe('FAULT');
  await fw1.host.exec(['ip', 'link', 'set', 'lan', 'up']);
  await fw1.waitForRole('MASTER');
  await pair.sync.cut(fw1.host, 'sync');
  await fw2.waitForStatus(({ sync }) => sync?.state === 'peer-lost', 'a lost peer');
  expect((await agreed(fw2)).sync?.parity).toBe('unknown');
  await pair.sync.restore(fw1.host, 'sync');
  await fw2.waitForStatus(({ sync }) => sync?.parity === 'equal', 'parity again');
  await agreed(fw2);
});

test('a parser of the exporters finds their families whole', async () => {
  const [text = ''] = await look(fw2, '/metrics/keepalived');
  const families = parseExposition(text);
  expect(families.length).toBe(31);
  for (const { name, help, type, metrics } of families) {
    expect([name, help === '', type]).toEqual([
      name,
      false,
      expect.stringMatching(/GAUGE|COUNTER/),
    ]);
    for (const { value } of metrics) expect(Number(value)).not.toBeNaN();
  }
  const [openMetrics = ''] = await look(fw2, '/metrics');
  expect(parseExposition(openMetrics).length).toBeGreaterThan(60);
});
