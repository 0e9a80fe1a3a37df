/**
 * `keepstate doctor` on a real machine: nothing on a healthy one, and each planted fault by its
 * code.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../src/cli/doctor/doctorFinding.js';
import { tryRun, type CommandResult } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { repositoryRoot } from '../lab/runTypescript.js';

const config = `
vrrp_instance VI {
  interface lan
  virtual_router_id 51
  priority 100
  virtual_ipaddress {
    10.1.0.254/24 dev lan
    10.2.0.254/24 dev wan
  }
}
Sync {
  Mode FTFW {
  }
  UDP {
    IPv4_address 10.3.0.1
    IPv4_Destination_Address 10.3.0.2
    Port 3780
    Interface sync
  }
}
General {
  HashLimit 65536
}
`;

interface Rules {
  readonly input?: string;
  readonly output?: string;
  readonly forward?: string;
  readonly nat?: string;
}

/** Each hook has policy drop, but for output; what a test gives replaces the lines of a hook. */
function ruleset({ input, output, forward, nat }: Rules = {}): string {
  return `
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state vmap { established : accept, invalid : drop }
    ${input ?? 'iifname "lan" meta l4proto vrrp accept\n    iifname "sync" udp dport { 3780, 3781 } accept'}
  }
  chain output {
    type filter hook output priority 0; ${output ?? 'policy accept;'}
  }
  chain forward {
    type filter hook forward priority 0; ${forward ?? 'policy drop;\n    ct state invalid drop\n    ct state new,established accept'}
  }
}
table ip nat {
  chain postrouting {
    type nat hook postrouting priority 100;
    ${nat ?? 'oifname "wan" snat to 10.2.0.254'}
  }
}
`;
}

const stateless = `
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    iifname "lan" accept
  }
}
`;

const healthySysctls = {
  'net.ipv4.ip_forward': 1,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.lan.rp_filter': 0,
  'net.ipv4.conf.wan.rp_filter': 0,
  'net.netfilter.nf_conntrack_tcp_loose': 0,
  'net.netfilter.nf_conntrack_events': 1,
};

let lab: Lab;
let host: Host;
let path: string;

beforeAll(async () => {
  lab = await Lab.open();
  const [node, others] = (await lab.hosts('node', 'others')) as [Host, Host];
  host = node;
  for (const name of ['lan', 'wan', 'sync']) {
    await lab.link({ host, name }, { host: others, name });
  }
  path = join(host.directory, 'node.conf');
  writeFileSync(path, config);
}, 300_000);

afterAll(async () => {
  await lab.close();
});

beforeEach(async () => {
  await host.nft(ruleset());
  await host.sysctl(healthySysctls);
});

async function doctor(...before: string[]): Promise<CommandResult> {
  const program = join(repositoryRoot, 'bin/keepstate');
  return host.tryExec([...before, program, 'doctor', '--json', '--config', path]);
}

function findings({ stdout }: CommandResult): readonly Finding[] {
  return JSON.parse(stdout) as readonly Finding[];
}

test('a machine on which a takeover works is healthy', async () => {
  const result = await doctor();
  expect(findings(result)).toEqual([]);
  expect(result.exitCode).toBe(0);
}, 300_000);

type Fault = () => Promise<unknown>;
const sysctl = (name: string, value: number): Fault => {
  return () => host.sysctl({ [name]: value });
};
const nft = (rules: Rules): Fault => {
  return () => host.nft(ruleset(rules));
};
const sync = 'iifname "sync" udp dport { 3780, 3781 } accept';
const vrrp = 'iifname "lan" meta l4proto vrrp accept';

test.each<readonly [string, Fault, string, 'error' | 'warning']>([
  ['forwarding off', sysctl('net.ipv4.ip_forward', 0), 'forwarding-off', 'error'],
  ['strict reverse paths', sysctl('net.ipv4.conf.lan.rp_filter', 1), 'rp-filter-strict', 'warning'],
  [
    'strict reverse paths where an address goes',
    sysctl('net.ipv4.conf.wan.rp_filter', 1),
    'rp-filter-strict',
    'warning',
  ],
  [
    'strict reverse paths everywhere',
    sysctl('net.ipv4.conf.all.rp_filter', 1),
    'rp-filter-strict',
    'warning',
  ],
  ['tcp_loose on', sysctl('net.netfilter.nf_conntrack_tcp_loose', 1), 'tcp-loose', 'warning'],
  ['no events', sysctl('net.netfilter.nf_conntrack_events', 0), 'conntrack-events', 'error'],
  ['no rule that tracks', () => host.nft(stateless), 'no-conntrack', 'error'],
  ['VRRP not let in', nft({ input: sync }), 'vrrp-blocked', 'error'],
  [
    'VRRP not let in by a verdict map',
    nft({ input: `${sync}\n    meta l4proto vmap { icmp : accept, vrrp : drop }` }),
    'vrrp-blocked',
    'error',
  ],
  [
    'VRRP not let out',
    nft({ output: 'policy drop;\n    oifname "sync" accept' }),
    'vrrp-blocked',
    'error',
  ],
  ['replication not let in', nft({ input: vrrp }), 'sync-blocked', 'error'],
  [
    'the peer channel not let in',
    nft({ input: `${vrrp}\n    iifname "sync" udp dport 3780 accept` }),
    'sync-blocked',
    'error',
  ],
  [
    'replication not let out',
    nft({ output: 'policy drop;\n    oifname "lan" accept' }),
    'sync-blocked',
    'error',
  ],
  [
    'INVALID forwarded',
    () =>
      host.nft(
        ruleset({ forward: 'policy accept;', input: `${vrrp}\n    ${sync}` }).replace(
          ', invalid : drop',
          '',
        ),
      ),
    'invalid-accepted',
    'warning',
  ],
  ['MASQUERADE', nft({ nat: 'oifname "wan" masquerade' }), 'masquerade', 'error'],
  [
    'SNAT to a fixed address',
    nft({ nat: 'oifname "wan" snat to 10.2.0.1' }),
    'snat-stays',
    'warning',
  ],
])(
  'finds %s, and nothing else',
  async (_fault, plant, code, severity) => {
    await plant();
    const result = await doctor();
    const found = findings(result);
    expect(new Set(found.map((one) => `${one.severity} ${one.code}`))).toEqual(
      new Set([`${severity} ${code}`]),
    );
    expect(result.exitCode).toBe(severity === 'error' ? 1 : 0);
  },
  60_000,
);

test('the remedy of a blocked VRRP, given to the machine, heals it', async () => {
  await host.nft(ruleset({ input: sync }));
  const [finding] = findings(await doctor());
  await host.exec(['sh', '-c', finding?.remedy ?? 'false']);
  expect(findings(await doctor())).toEqual([]);
}, 300_000);

test('the remedy of INVALID that is forwarded works where no forward chain exists', async () => {
  await host.nft(
    ruleset()
      .replace(/ {2}chain forward \{[^}]*\}\n/, '')
      .replace(', invalid : drop', ''),
  );
  const found = findings(await doctor());
  expect(found.map(({ code }) => code)).toEqual(['invalid-accepted']);
  await host.exec(['sh', '-c', found[0]?.remedy ?? 'false']);
  expect(findings(await doctor())).toEqual([]);
}, 300_000);

test('what cannot be told is said with its rule, and is no all-clear', async () => {
  await host.nft(ruleset({ input: `${sync}\n    ip saddr 10.1.0.2 accept` }));
  const result = await doctor();
  const found = findings(result);
  expect(found.map((one) => `${one.severity} ${one.code}`)).toEqual(['unknown vrrp-unknown']);
  expect(found[0]?.text).toMatch(
    /because of rule "ip saddr 10\.1\.0\.2 accept" \(chain inet filter input, handle \d+\)$/,
  );
  expect(result.exitCode).toBe(1);
  await host.exec(['sh', '-c', found[0]?.remedy.replace(/^.*?: /, '') ?? 'false']);
  expect(findings(await doctor())).toEqual([]);
}, 300_000);

test('rules for established flows alone do not let VRRP in', async () => {
  await host.nft(ruleset({ input: `ct state established accept\n    ${sync}` }));
  expect(findings(await doctor()).map(({ code }) => code)).toEqual(['vrrp-blocked']);
}, 300_000);

test('a link that is down is found, and up again it is fine', async () => {
  await host.ip('link set sync down');
  const down = findings(await doctor());
  await host.ip('link set sync up');
  expect(down.map(({ code }) => code)).toEqual(['interface-down']);
  expect(findings(await doctor())).toEqual([]);
}, 300_000);

describe('from outside, with net_namespace', () => {
  const outside = async (namespace: string, ...words: string[]): Promise<CommandResult> => {
    const file = join(host.directory, 'outside.conf');
    writeFileSync(file, `net_namespace ${namespace}\n${config}`);
    const program = join(repositoryRoot, 'bin/keepstate');
    return tryRun([program, 'doctor', ...words, '--config', file]);
  };

  test('it looks at the namespace in which the daemon will be', async () => {
    expect(findings(await outside(host.namespace, '--json'))).toEqual([]);
    await host.sysctl({ 'net.ipv4.ip_forward': 0 });
    await host.nft(ruleset({ input: vrrp }));
    await host.ip('link set sync down');
    const found = await outside(host.namespace, '--json');
    await host.ip('link set sync up');
    expect(new Set(findings(found).map(({ code }) => code))).toEqual(
      new Set(['forwarding-off', 'interface-down', 'sync-blocked']),
    );
    expect((await outside(host.namespace)).stdout).toContain(
      `in the network namespace ${host.namespace}`,
    );
  }, 300_000);

  test('that cannot be entered, it says that nothing was looked at', async () => {
    const result = await outside('no-such-namespace', '--json');
    expect(findings(result)).toMatchObject([{ severity: 'error', code: 'net-namespace' }]);
    expect(result.exitCode).toBe(1);
  }, 300_000);
});

test('who lacks the rights is told what is missing, and what could not be looked at', async () => {
  const result = await doctor('setpriv', '--bounding-set', '-net_admin,-net_raw');
  const codes = findings(result).map(({ code }) => code);
  expect(codes).toEqual(['capabilities', 'ruleset-unknown']);
  expect(result.exitCode).toBe(1);
}, 300_000);
