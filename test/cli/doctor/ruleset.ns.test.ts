/**
 * What doctor says of a ruleset, beside the truth: whether a real packet of protocol 112 arrives
 * through the real kernel. One pair of namespaces for all; some rulesets of the table, and all of
 * them with KEEPSTATE_FULL=1.
 */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { examine } from '../../../src/cli/doctor/examine.js';
import { gatherFacts } from '../../../src/cli/doctor/facts.js';
import { loadNodeText } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { VrrpSocket, VrrpSocketSpec } from '../../../src/net/ports.js';
import { RawVrrpSockets } from '../../../src/net/vrrp/vrrpSocket.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { doctorRulesets } from '../../support/cli/doctorRulesets.js';

jest.setTimeout(300_000);

const config = `
vrrp_instance VI {
  interface lan
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    10.1.0.254/24
  }
}
vrrp_instance VI6 {
  interface lan
  virtual_router_id 52
  priority 100
  virtual_ipaddress {
    fe80::254
  }
}
`;

function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
}

const loaded = loadNodeText(config, 'test.conf', systemLoadPorts({ machine: false }));
if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.problems));
const { settings } = loaded;

/** An advert of VRID 51, of no interest to anybody else. */
const payload = Buffer.from('213364010001ba26c0a8fffa0000000000000000', 'hex');
const four: VrrpSocketSpec = {
  family: 4,
  interfaceName: 'lan',
  multicastGroup: ip('224.0.0.18'),
};
const six: VrrpSocketSpec = { family: 6, interfaceName: 'lan', multicastGroup: ip('ff02::12') };

class End {
  readonly socket: VrrpSocket;
  readonly received = new Set<number>();

  constructor(host: Host, spec: VrrpSocketSpec) {
    const opened = withNetworkNamespace(host.namespacePath, () => new RawVrrpSockets().open(spec));
    if ('refused' in opened) throw new Error(JSON.stringify(opened.refused));
    this.socket = opened.socket;
    // The last byte numbers the packet.
    this.socket.onDatagram((datagram) => this.received.add(datagram.payload.at(-1) ?? 0));
  }

  send(source: string, group: IpAddress | undefined, number: number): void {
    if (group === undefined) throw new Error('no group');
    const numbered = Buffer.from(payload);
    numbered[numbered.length - 1] = number;
    const envelope = { source: ip(source), destination: group, ttl: 255, identification: 1 };
    this.socket.send({ ...envelope, payload: numbered });
  }
}

let lab: Lab;
let node: Host;
let peer: Host;
const ends: Record<'node4' | 'peer4' | 'node6' | 'peer6', End | undefined> = {
  node4: undefined,
  peer4: undefined,
  node6: undefined,
  peer6: undefined,
};
let number = 0;

beforeAll(async () => {
  lab = await Lab.open();
  [node, peer] = (await lab.hosts('node', 'peer')) as [Host, Host];
  await lab.link(
    { host: node, name: 'lan', addresses: ['10.1.0.1/24', 'fe80::a/64'] },
    { host: peer, name: 'lan', addresses: ['10.1.0.2/24', 'fe80::b/64'] },
  );
  await lab.link({ host: node, name: 'wan' }, { host: peer, name: 'wan' });
  ends.node4 = new End(node, four);
  ends.peer4 = new End(peer, four);
  ends.node6 = new End(node, six);
  ends.peer6 = new End(peer, six);
});

afterAll(async () => {
  for (const end of Object.values(ends)) end?.socket.close();
  await lab.close();
});

interface Flight {
  readonly from: End | undefined;
  readonly to: End | undefined;
  readonly source: string;
  readonly spec: VrrpSocketSpec;
}

/**
 * Whether one packet arrives. One that passes nothing but the wire, sent behind it, ends the wait.
 */
async function arrives({ from, to, source, spec }: Flight): Promise<boolean> {
  if (from === undefined || to === undefined) throw new Error('no sockets');
  number = (number % 120) + 1;
  const [first, last] = [number, number + 120];
  to.received.clear();
  from.send(source, spec.multicastGroup, first);
  await node.nft('flush ruleset');
  await waitFor(() => {
    from.send(source, spec.multicastGroup, last);
    return to.received.has(last);
  });
  return to.received.has(first);
}

function codes(): readonly string[] {
  const report = withNetworkNamespace(node.namespacePath, () =>
    gatherFacts(settings, { running: [], enabled: [] }),
  );
  return examine(settings, report)
    .filter(({ code }) => code.startsWith('vrrp-'))
    .map(({ code, text }) => `${code} ${/(arrives|leaves)/.exec(text)?.[1] ?? ''}`);
}

const verdicts = {
  passes: [],
  dropped: ['vrrp-blocked arrives'],
  unclear: ['vrrp-unknown arrives'],
};

/** Each takes half a second; the unit test judges all of them. */
const isFull = process.env['KEEPSTATE_FULL'] === '1';
const rows = doctorRulesets.filter((_row, i) => isFull || i % 5 === 0);

test.each(rows)('$verdict, and so it is: $name', async ({ text, verdict }) => {
  const inet = text.replace('table inet filter', 'table ip filter');
  await node.nft(`flush ruleset\n${isAboutSix(text) ? text : inet}`);
  const found = codes();
  const flight = { from: ends.peer4, to: ends.node4, source: '10.1.0.2', spec: four };
  const arrived = await arrives(flight);
  if (!isAboutSix(text)) expect(found).toEqual(verdicts[verdict]);
  if (verdict !== 'unclear') expect(arrived).toBe(verdict === 'passes');
});

/** IPv6 has words of its own that a table of IPv4 does not take. */
function isAboutSix(text: string): boolean {
  return /ip6|icmpv6|nfproto|icmpx|table (inet [^f]|inet filter \{ chain|netdev)/.test(text);
}

type Way = 'arrives' | 'leaves';
const furtherRows: readonly (readonly [string, 4 | 6, Way, string])[] = [
  [
    'out, dropped by output',
    4,
    'leaves',
    'type filter hook output priority 0; policy drop;\n tcp dport 22 accept',
  ],
  [
    'out, dropped by postrouting',
    4,
    'leaves',
    'type filter hook postrouting priority 0;\n oifname "lan" ip protocol 112 drop',
  ],
  [
    'out, dropped before tracking',
    4,
    'leaves',
    'type filter hook output priority raw;\n ct state invalid ip protocol 112 drop',
  ],
  [
    'IPv6 in, dropped',
    6,
    'arrives',
    'type filter hook input priority 0; policy drop;\n meta nfproto ipv4 accept\n icmpv6 type { nd-neighbor-solicit } accept',
  ],
  [
    'IPv6 out, dropped',
    6,
    'leaves',
    'type filter hook output priority 0; policy accept;\n ip6 daddr ff02::/16 meta l4proto vrrp drop',
  ],
  [
    'IPv6 out by its kind of source',
    6,
    'leaves',
    'type filter hook output priority 0; policy accept;\n ip6 saddr fe80::/64 ip6 nexthdr 112 drop',
  ],
];

test.each(furtherRows)('%s', async (_name, family, way, chain) => {
  await node.nft(`flush ruleset\ntable inet t {\n chain c { ${chain}\n }\n}`);
  expect(codes()).toContain(`vrrp-blocked ${way}`);
  const [here, there] = family === 4 ? [ends.node4, ends.peer4] : [ends.node6, ends.peer6];
  const [own, other] = family === 4 ? ['10.1.0.1', '10.1.0.2'] : ['fe80::a', 'fe80::b'];
  const spec = family === 4 ? four : six;
  const flight =
    way === 'leaves'
      ? { from: here, to: there, source: own, spec }
      : { from: there, to: here, source: other, spec };
  expect(await arrives(flight)).toBe(false);
});

test.each([
  [
    'IPv6 in from the link',
    6,
    'type filter hook input priority 0; policy drop;\n ip6 saddr fe80::/10 ip6 hoplimit 255 accept\n ip protocol vrrp accept',
  ],
  [
    'IPv6 in by rpfilter',
    6,
    'type filter hook prerouting priority -150; policy accept;\n fib saddr . mark . iif oif missing drop',
  ],
] as const)('%s, passes', async (_name, _family, chain) => {
  await node.nft(`flush ruleset\ntable inet t {\n chain c { ${chain}\n }\n}`);
  expect(codes()).toEqual([]);
  const flight = { from: ends.peer6, to: ends.node6, source: 'fe80::b', spec: six };
  expect(await arrives(flight)).toBe(true);
});
