/**
 * Each kind of target over an interface that comes and goes: `status` says what is in the way, with
 * its remedy, and is right again when that is mended.
 */
import { createServer, type Server } from 'node:net';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { StatusAnswer, TargetAddressStatus } from '../../../src/control/statusAnswer.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const port = 4_433;
const late = '10.9.0.77';
/** By name: how it is asked. */
const kinds = {
  IPV4: 'icmp 10.9.0.2',
  IPV6: 'icmp6 fd00:9::2',
  LINK: 'icmp6 fe80::99',
  ARP: 'arp 10.9.0.2',
  TCP: `tcp 10.9.0.2 ${port}`,
  SOURCE: `icmp 10.9.0.2\n  source ${late}`,
} as const;
type Kind = keyof typeof kinds;
const all = Object.keys(kinds) as readonly Kind[];
/** The source of the last one is missing at first. */
const usual = all.filter((kind) => kind !== 'SOURCE');

const blocks = Object.entries(kinds).map(
  ([name, asked]) => `vrrp_track_target ${name} {
  ${asked}
  interface wan
  interval 0.2
  fall 2
  rise 1
}`,
);

// With a weight of 1 no loss moves anything: this node is alone.
const config = `${blocks.join('\n')}
vrrp_instance V {
  interface lan
  virtual_router_id 51
  state BACKUP
  priority 100
  advert_int 1
  track_target {
    ${all.map((name) => `${name} weight 1`).join('\n    ')}
  }
  virtual_ipaddress {
    10.0.0.100/24
  }
}
`;

let lab: Lab;
let own: Host;
let far: Host;
let node: KeepstateNode;
let server: Server;

const makeInterface = (): Promise<void> =>
  lab.link(
    { host: own, name: 'wan', addresses: ['10.9.0.1/24', 'fd00:9::1/64'] },
    { host: far, name: 'wan', addresses: ['10.9.0.2/24', 'fd00:9::2/64', 'fe80::99/64'] },
  );

beforeAll(async () => {
  lab = await Lab.open();
  [own, far] = (await lab.hosts('own', 'far')) as [Host, Host];
  await lab.link(
    { host: own, name: 'lan', addresses: ['10.0.0.1/24'] },
    { host: far, name: 'lan' },
  );
  server = createServer((socket) => socket.destroy());
  withNetworkNamespace(far.namespacePath, () => server.listen(port));
  node = new KeepstateNode(own, config);
  await node.start();
  await node.waitForRole('MASTER');
});

afterAll(async () => {
  server.close();
  await lab.close();
});

function addressOf(status: StatusAnswer, kind: Kind): TargetAddressStatus | undefined {
  return status.targets?.list.find(({ name }) => name === kind)?.addresses[0];
}

async function areReached(which: readonly Kind[]): Promise<void> {
  await node.waitForStatus(
    (status) =>
      which.every((kind) => {
        const address = addressOf(status, kind);
        return address?.state === 'good' && address.because === undefined;
      }),
    `${which.join(', ')} to be reached`,
  );
}

/** Each says so, in `status` and among the problems. */
async function areRefused(which: readonly Kind[], because: string, state: string): Promise<void> {
  await node.waitForStatus(
    (status) =>
      which.every((kind) => {
        const address = addressOf(status, kind);
        const isTold = status.problems.some(
          ({ subject, text }) => subject === kind && text.includes(because),
        );
        return address?.because?.includes(because) === true && address.state === state && isTold;
      }),
    `${which.join(', ')}: ${because}`,
  );
}

test('there is no interface', async () => {
  await areRefused(usual, 'there is no interface wan', 'bad');
});

test('once it is made, all are reached but the one whose source is missing', async () => {
  await makeInterface();
  await areReached(usual);
  await areRefused(['SOURCE'], 'this node has not the source address now', 'bad');
  await own.ip(`address add ${late}/32 dev wan`);
  await areReached(all);
});

test('it is down', async () => {
  await own.ip('link set wan down');
  await areRefused(['ARP'], 'interface wan is down', 'bad');
  await own.ip('link set wan up', 'address replace fd00:9::1/64 dev wan nodad');
  await areReached(all);
});

test('it is deleted, and made again', async () => {
  await own.ip('link delete wan');
  await areRefused(usual, 'there is no interface wan', 'bad');
  await makeInterface();
  await own.ip(`address add ${late}/32 dev wan`);
  await areReached(all);
});

test('the ruleset of this node forbids ping: that is no loss', async () => {
  const rules = 'ip protocol icmp drop; icmpv6 type echo-request drop;';
  await own.nft(`table inet t { chain c { type filter hook output priority 0; ${rules} }; }`);
  await areRefused(['IPV4', 'IPV6', 'LINK', 'SOURCE'], 'admit it in the output chain', 'unable');
  await areReached(['ARP', 'TCP']);
  await own.nft('delete table inet t');
  await areReached(all);
});

test('nobody listens on the port any more: that is a loss', async () => {
  await new Promise((done) => server.close(done));
  await node.waitForStatus(
    (status) => addressOf(status, 'TCP')?.state === 'bad',
    'a refused connection',
  );
  await areReached(['IPV4', 'IPV6', 'LINK', 'ARP', 'SOURCE']);
});
