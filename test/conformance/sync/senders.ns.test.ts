/**
 * Whom keepstate hears beside a real conntrackd: one that sends from another of its addresses, and
 * what TTL 255 does.
 */
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { settingsOf, SyncNode } from '../../support/sync/node.js';

jest.setTimeout(300_000);

let lab: Lab;
let a: Host;
let b: Host;

beforeEach(async () => {
  lab = await Lab.open();
  [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  await lab.link(
    { host: a, name: 'sync', addresses: ['10.99.0.1/24'] },
    { host: b, name: 'sync', addresses: ['10.99.0.2/24', '10.99.0.12/24'] },
  );
});
afterEach(async () => {
  await lab.close();
});

const insert = (base: number): string[] =>
  `conntrack -I -p udp -s 192.168.${base}.10 -d 198.51.100.7 --sport 5000 --dport 53 -t 1200`.split(' ');

test('a conntrackd that sends from another address than its IPv4_address is refused by name', async () => {
  await Conntrackd.start(b, {
    mode: 'FTFW',
    link: { kind: 'udp', local: '10.99.0.12', destination: '10.99.0.1', interfaceName: 'sync' },
  });
  const link = { kind: 'udp', local: '10.99.0.1', interfaceName: 'sync' } as const;
  const keepstate = await SyncNode.start(a, settingsOf([{ ...link, destination: '10.99.0.12' }]));
  await waitFor(() => keepstate.status?.peer.refused?.length === 1);
  const { peer, state } = keepstate.status ?? {};
  expect(peer?.refused).toMatchObject([{ address: '10.99.0.2', reason: 'address', door: 'sync' }]);
  expect(state).toBe('peer-lost');
  const line = keepstate.reports('log').find(({ message }) => message.includes('refused'));
  expect(line?.fields).toMatchObject({
    from: '10.99.0.2',
    remedy: expect.stringContaining('Destination_Address') as string,
  });
});

test('in a link-local group both hear each other with TTL 255', async () => {
  const conntrackd = await Conntrackd.start(b, {
    mode: 'FTFW',
    link: {
      kind: 'multicast',
      local: '10.99.0.2',
      destination: '224.0.0.50',
      interfaceName: 'sync',
    },
  });
  const link = { kind: 'multicast', local: '10.99.0.1', destination: '224.0.0.50' } as const;
  const keepstate = await SyncNode.start(a, settingsOf([{ ...link, interfaceName: 'sync' }]));
  await a.exec(insert(50));
  await b.exec(insert(60));
  await waitFor(async () => {
    expect((await keepstate.list('external', true)).join()).toContain('192.168.60.10');
    expect((await conntrackd.entries('external')).join()).toContain('192.168.50.10');
    return true;
  });
  await keepstate.request({ verb: 'stats' });
  expect(keepstate.status?.peer).toMatchObject({ strangers: 0, malformed: 0 });
});
