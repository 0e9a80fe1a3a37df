/**
 * `Filter From Kernelspace`: what the lists refuse never reaches the process; own addresses still
 * count.
 */
import { parseIp } from '../../src/base/ipAddress.js';
import type { SyncStatus } from '../../src/sync/messages.js';
import type { SyncSettings } from '../../src/sync/settings.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const vip = parseIp('10.0.1.9')!;
const link = {
  kind: 'udp',
  local: '127.0.0.1',
  destination: '127.0.0.2',
  interfaceName: 'lo',
} as const;

let lab: Lab;
beforeEach(async () => {
  lab = await Lab.open();
});
afterEach(async () => {
  await lab.close();
});

async function started(changes: Partial<SyncSettings>): Promise<[Host, SyncNode]> {
  const [host] = (await lab.hosts('a')) as [Host];
  return [host, await SyncNode.start(host, settingsOf([link], changes))];
}

async function status(node: SyncNode): Promise<SyncStatus> {
  const before = node.reports('status').length;
  await node.request({ verb: 'stats' });
  return (await node.waitForReport('status', before)).status;
}

const insert = (host: Host, protocol: 'tcp' | 'udp', to: string): Promise<unknown> => {
  const state = protocol === 'tcp' ? ' --state ESTABLISHED' : '';
  const flow = `conntrack -I -s 10.0.0.1 -d ${to} -p ${protocol} --sport 9 --dport 80 -t 99${state}`;
  return host.exec(flow.split(' '));
};

test.each([
  ['kernelspace', 2],
  ['userspace', 3],
] as const)('%s: of three events %i arrive, one flow is kept', async (from, arrive) => {
  const protocol = { policy: 'ignore', entries: [17] } as const;
  const [host, node] = await started({ filter: { from, protocol }, ownAddresses: [vip] });
  await insert(host, 'udp', '10.0.1.1');
  await insert(host, 'tcp', '10.0.1.9');
  await insert(host, 'tcp', '10.0.1.1');
  // The last event came: those before it came too, or never will.
  await waitFor(async () => (await status(node)).internal.entries === 1, {
    description: 'the TCP flow',
  });
  expect((await status(node)).events.received).toBe(arrive);
  expect(await node.list('internal', true)).toHaveLength(1);
});

test('DisableInternalCache: flush and fill of the internal cache are refused, its listing works', async () => {
  const [host, node] = await started({ mode: 'NOTRACK', disableInternalCache: true });
  await insert(host, 'tcp', '10.0.1.1');
  await waitFor(async () => (await node.list('internal', true)).length === 1, {
    description: 'the flow in the listing',
  });
  const flush = await node.request({ verb: 'flush', cache: 'internal' });
  const resync = await node.request({ verb: 'resync', table: 'conntrack' });
  for (const answer of [flush, resync]) {
    expect(answer.ok).toBe(false);
    expect(answer.message).toContain('DisableInternalCache is on');
  }
  expect(await node.list('internal', true)).toHaveLength(1);
});
