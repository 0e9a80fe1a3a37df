/**
 * The interface of the only sync link is deleted and made again, as networkd and ifupdown do with a
 * VLAN or a bond.
 */
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { waitFor } from '../lab/waitFor.js';
import { ConntrackInjector } from '../support/conntrack/ctInjector.js';
import { ipv6Ready } from '../support/net/ipv6Ready.js';
import { LinkPair } from '../support/sync/linkPair.js';
import type { LinkOptions } from '../support/sync/node.js';

jest.setTimeout(300_000);

type Link = (own: 1 | 2) => Omit<LinkOptions, 'interfaceName'>;

const links: Readonly<Record<string, Link>> = {
  multicast: (own) => ({ kind: 'multicast', local: `10.99.1.${own}`, destination: '225.0.0.50' }),
  'IPv6 multicast': (own) => ({
    kind: 'multicast',
    local: `fe80::${own}`,
    destination: 'ff02::50',
  }),
  UDP: (own) => ({ kind: 'udp', local: `10.99.1.${own}`, destination: `10.99.1.${3 - own}` }),
  'UDP between link-local addresses': (own) => ({
    kind: 'udp',
    local: `fe80::${own}`,
    destination: `fe80::${3 - own}`,
  }),
  'TCP between link-local addresses': (own) => ({
    kind: 'tcp',
    local: `fe80::${own}`,
    destination: `fe80::${3 - own}`,
  }),
};

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.open();
});

afterEach(async () => {
  await lab.close();
});

async function cable(a: Host, b: Host): Promise<void> {
  await lab.link(
    { host: a, name: 'sync1', addresses: ['10.99.1.1/24', 'fe80::1/64'] },
    { host: b, name: 'sync1', addresses: ['10.99.1.2/24', 'fe80::2/64'] },
  );
}

function create(host: Host, count: number, base: number): void {
  const injector = ConntrackInjector.open(host.namespacePath);
  injector.inject({ count, base, timeoutSeconds: 3_000 });
  injector.close();
}

test.each(Object.keys(links))('%s: flows and the peer channel go on afterwards', async (name) => {
  const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  await cable(a, b);
  await ipv6Ready(a, 'sync1');
  await ipv6Ready(b, 'sync1');
  const linksOf = (own: 1 | 2): LinkOptions[] =>
    [links[name]].flatMap((link) =>
      link === undefined ? [] : [{ ...link(own), interfaceName: 'sync1' }],
    );
  const pair = await LinkPair.between([a, b], linksOf);
  create(a, 500, 0);
  await pair.equal();
  await pair.peerChannelWorks();

  await a.ip('link delete sync1');
  create(a, 500, 1_000);
  await waitFor(() => pair.nodes[0].status?.links[0]?.isUsable === false, {
    description: 'the interface to be missed',
  });
  await cable(a, b);
  create(a, 500, 2_000);
  process.stdout.write(`${name}: equal after ${await pair.equal()} ms\n`);
  expect((await pair.nodes[0].digest()).internal[0]).toBe(1_500);
  await waitFor(() => pair.nodes.every(({ status }) => status?.peer.kind === 'keepstate'), {
    description: 'the peers to know each other',
  });
  await pair.peerChannelWorks();
});
