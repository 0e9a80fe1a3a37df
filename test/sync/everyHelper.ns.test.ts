/**
 * A connection with each helper that the kernel has, behind source NAT: after a takeover it goes on
 * through the other firewall, and has its helper there.
 */
import { firewallPair, firewallRuleset, pairAddresses } from '../lab/firewallPair.js';
import { Lab } from '../lab/lab.js';
import { startServer } from '../lab/traffic.js';
import { waitFor } from '../lab/waitFor.js';
import { settingsOf, SyncNode } from '../support/sync/node.js';

jest.setTimeout(300_000);

const { server, sync } = pairAddresses;

/** Names of Linux 6.1 to 6.18, with the port by which the ruleset assigns them. */
const helpers = [
  ['ftp', 'tcp', 21],
  ['irc', 'tcp', 6_667],
  ['Q.931', 'tcp', 1_720],
  ['pptp', 'tcp', 1_723],
  ['sane', 'tcp', 6_566],
  ['tftp', 'udp', 69],
  ['sip', 'udp', 5_060],
  ['amanda', 'udp', 10_080],
  ['RAS', 'udp', 1_719],
  ['snmp', 'udp', 161],
  ['netbios-ns', 'udp', 137],
] as const;

const assigned = `
table ip helpers {
  ${helpers
    .map(
      ([name, protocol], i) =>
        `ct helper h${i} { type "${name}" protocol ${protocol}; l3proto ip; }`,
    )
    .join('\n  ')}
  chain assign {
    type filter hook prerouting priority 0;
    ${helpers.map(([, protocol, port], i) => `${protocol} dport ${port} ct helper set "h${i}"`).join('\n    ')}
  }
}
`;

/** Everything that comes to the server is echoed by its one port. */
const echo = `
table ip echo {
  chain pre {
    type nat hook prerouting priority -100;
    tcp dport != 7000 redirect to :7000
    udp dport != 7000 redirect to :7000
  }
}
`;

/** Opens all, says a word on each, and another one after a line on its standard input. */
const client = `
ports="${helpers.map(([, protocol, port]) => `${protocol}/${port}`).join(' ')}"
declare -A open
for port in $ports; do
  exec {fd}<>/dev/\${port%/*}/${server}/\${port#*/}
  open[$port]=$fd
done
# The helper of SNMP lets nothing else through in the replies: GetResponse of sysDescr, 40 bytes.
snmp='\\x30\\x26\\x02\\x01\\x00\\x04\\x06public\\xa2\\x19\\x02\\x01\\x01\\x02\\x01\\x00\\x02\\x01\\x00'
snmp+='\\x30\\x0e\\x30\\x0c\\x06\\x08\\x2b\\x06\\x01\\x02\\x01\\x01\\x01\\x00\\x05\\x00'
ask() {
  if [ "$1" = udp/161 ]; then
    printf "$snmp" >&\${open[$1]}
    [ "$(timeout 10 dd bs=100 count=1 status=none <&\${open[$1]} | wc -c)" = 40 ] && echo "$2"
  else
    echo "$2" >&\${open[$1]}
    timeout 10 dd bs=100 count=1 status=none <&\${open[$1]}
  fi
}
say() {
  for port in $ports; do line=$(ask $port "$1"); echo "$port \${line:-none}"; done
}
say one; read go; say two; echo end
`;

test('each kernel helper’s connection lives through a takeover, its helper included', async () => {
  const lab = await Lab.open();
  try {
    const pair = await firewallPair(lab, { bare: true });
    for (const firewall of pair.firewalls) {
      await firewall.nft(firewallRuleset() + assigned);
      await firewall.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 0 });
    }
    await startServer(pair.server);
    await pair.server.nft(echo);
    const nodes = await Promise.all(
      pair.firewalls.map((firewall, i) =>
        SyncNode.start(
          firewall,
          settingsOf(
            [
              {
                ...{ kind: 'udp', interfaceName: 'sync' },
                ...{ local: sync[i] ?? '', destination: sync[1 - i] ?? '' },
              },
            ],
            { expectationSync: 'all', tcpWindowTracking: true },
          ),
        ),
      ),
    );
    const [first, second] = nodes;
    if (first === undefined || second === undefined) throw new Error('two nodes');
    first.command({ kind: 'becomeMaster', epoch: 1, preCommitted: false });
    second.command({ kind: 'becomeBackup', epoch: 1, peerHeard: true });
    await first.waitForReport('committed');
    first.command({ kind: 'takeoverComplete', epoch: 1 });
    await pair.takeVips(0);
    const talk = pair.client.start(['bash', '-c', client]);
    const words = (word: string): string[] =>
      helpers.map(([, protocol, port]) => `${protocol}/${port} ${word}`);
    const said = (): string[] =>
      talk.output.split('\n').filter((line) => / (one|two|none)/.test(line));
    await waitFor(() => said().length === helpers.length, { description: 'all connections' });
    expect(said()).toEqual(words('one'));
    await waitFor(
      async () =>
        (await second.client(17)).split('\n').filter((line) => line.includes('helper=')).length ===
        helpers.length,
      { description: 'each flow and its helper at the peer' },
    );
    second.command({ kind: 'becomeMaster', epoch: 2, preCommitted: false });
    expect(await second.waitForReport('committed')).toMatchObject({ failed: 0 });
    second.command({ kind: 'takeoverComplete', epoch: 2 });
    first.command({ kind: 'becomeBackup', epoch: 2, peerHeard: true });
    await pair.takeVips(1);
    talk.write('go\n');
    await talk.waitForOutput('end');
    expect(said().slice(helpers.length)).toEqual(words('two'));
    const kernel = (await pair.firewalls[1].conntrack()).split('\n');
    const found = helpers.map(([name, , port]) =>
      kernel.some((line) => line.includes(` dport=${port} `) && line.includes(`helper=${name}`)),
    );
    expect(helpers.filter((_helper, i) => found[i] !== true)).toEqual([]);
  } finally {
    await lab.close();
  }
});
