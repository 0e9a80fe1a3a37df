import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findingsText } from '../../../src/cli/doctorCommand.js';
import { examine, type MachineReport } from '../../../src/cli/doctor/examine.js';
import type { Finding } from '../../../src/cli/doctor/doctorFinding.js';
import { parseListing } from '../../../src/cli/doctor/nft/rulesetListing.js';
import { linkAddresses } from '../../../src/cli/doctor/links.js';
import { missingCapabilities } from '../../../src/cli/doctor/facts.js';
import { parseNftRuleset } from '../../../src/net/netlink/nftRules.js';
import { loadNodeText } from '../../../src/config/loadNode.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { repositoryRoot } from '../../lab/runTypescript.js';

const text = `
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
const settings = loadSettings(text);

function loadSettings(text: string): NodeSettings {
  const loaded = loadNodeText(text, 'test.conf', systemLoadPorts({ machine: false }));
  if (loaded.settings === undefined) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

/** A machine on which a takeover works. */
const healthy: MachineReport = {
  sysctls: {
    'net/ipv4/ip_forward': 1,
    'net/ipv6/conf/all/forwarding': 0,
    'net/ipv4/conf/all/rp_filter': 0,
    'net/ipv4/conf/lan/rp_filter': 0,
    'net/netfilter/nf_conntrack_events': 2,
    'net/netfilter/nf_conntrack_max': 262144,
    'net/netfilter/nf_conntrack_tcp_loose': 0,
  },
  ruleset: rulesetOf('good'),
  listing: parseListing(''),
  legacyTables: [],
  bridges: new Set(),
  addresses: linkAddresses(
    JSON.stringify([
      { ifname: 'lan', addr_info: [{ local: '10.1.0.1', prefixlen: 24 }] },
      { ifname: 'sync', addr_info: [{ local: '10.3.0.1', prefixlen: 24 }] },
    ]),
  ),
  missingCapabilities: [],
  interfaces: new Map([
    ['lan', true],
    ['wan', true],
    ['sync', true],
  ]),
  conntrackEntries: 100,
  incumbents: { running: [], enabled: [] },
};

/** What `nft -j list ruleset` (1.0.6) printed for the ruleset of that name in test/vectors/nft. */
function rulesetOf(name: string): NonNullable<MachineReport['ruleset']> {
  const json = readFileSync(join(repositoryRoot, 'test/vectors/nft', `${name}.json`), 'utf8');
  const ruleset = parseNftRuleset(json);
  if (ruleset === undefined) throw new Error(`${name} is not nft's JSON`);
  return ruleset;
}

/** The same with its listing, which tells what iptables' extensions match. */
function iptables(name: string): Pick<MachineReport, 'ruleset' | 'listing'> {
  const text = readFileSync(join(repositoryRoot, 'test/vectors/nft', `${name}.txt`), 'utf8');
  return { ruleset: rulesetOf(name), listing: parseListing(text) };
}

function codes(change: Partial<MachineReport>): readonly string[] {
  return examine(settings, { ...healthy, ...change }).map((finding) => finding.code);
}

function withSysctl(name: string, value: number | undefined): Partial<MachineReport> {
  return { sysctls: { ...healthy.sysctls, [name]: value } };
}

describe('doctor', () => {
  test('finds nothing on a machine on which a takeover works', () => {
    expect(codes({})).toEqual([]);
  });

  test('concludes nothing from what it cannot learn', () => {
    expect(codes({ conntrackEntries: undefined, sysctls: healthy.sysctls })).toEqual([]);
  });

  test('a ruleset that cannot be read is said, not taken for a good one', () => {
    expect(codes({ ruleset: undefined })).toEqual(['ruleset-unknown']);
  });

  test.each([
    ['forwarding is off', withSysctl('net/ipv4/ip_forward', 0), 'forwarding-off'],
    ['reverse paths are strict', withSysctl('net/ipv4/conf/lan/rp_filter', 1), 'rp-filter-strict'],
    ['tcp_loose is on', withSysctl('net/netfilter/nf_conntrack_tcp_loose', 1), 'tcp-loose'],
    [
      'the kernel tracks nothing',
      withSysctl('net/netfilter/nf_conntrack_max', undefined),
      'no-conntrack',
    ],
    [
      'the kernel tells of no flows',
      withSysctl('net/netfilter/nf_conntrack_events', 0),
      'conntrack-events',
    ],
    [
      'the kernel table is small',
      withSysctl('net/netfilter/nf_conntrack_max', 1024),
      'conntrack-max',
    ],
    ['the kernel table is nearly full', { conntrackEntries: 250_000 }, 'conntrack-full'],
    ['a capability is missing', { missingCapabilities: ['CAP_NET_RAW'] }, 'capabilities'],
    ['iptables-legacy is in use', { legacyTables: ['ip filter'] }, 'legacy-tables'],
    [
      'an interface is down',
      { interfaces: new Map([...healthy.interfaces, ['sync', false]]) },
      'interface-down',
    ],
    [
      'an interface is missing',
      {
        interfaces: new Map([
          ['lan', true],
          ['wan', true],
        ]),
      },
      'no-interface',
    ],
    [
      'keepalived runs here',
      { incumbents: { running: [{ name: 'keepalived', pid: 7 }], enabled: [] } },
      'incumbent-running',
    ],
    [
      'the unit of conntrackd is enabled',
      {
        incumbents: {
          running: [],
          enabled: [{ name: 'conntrackd', unit: 'conntrackd.service', link: '/etc/x' }],
        },
      },
      'incumbent-enabled',
    ],
    ['no rule tracks', { ruleset: rulesetOf('stateless') }, 'no-conntrack'],
    ['INVALID is forwarded', { ruleset: rulesetOf('invalidAccepted') }, 'invalid-accepted'],
    ['VRRP is dropped', { ruleset: rulesetOf('vrrpBlocked') }, 'vrrp-blocked'],
    ['the sync link is dropped', { ruleset: rulesetOf('syncBlocked') }, 'sync-blocked'],
    ['MASQUERADE is in use', { ruleset: rulesetOf('masquerade') }, 'masquerade'],
    ['SNAT goes to an address that stays', { ruleset: rulesetOf('snatStays') }, 'snat-stays'],
    ['iptables drops VRRP', iptables('iptablesBlocked'), 'vrrp-blocked'],
    ['iptables masquerades', { ruleset: rulesetOf('iptablesMasquerade') }, 'masquerade'],
  ] as readonly (readonly [string, Partial<MachineReport>, string])[])(
    'says so when %s',
    (_what, change, code) => {
      const found = examine(settings, { ...healthy, ...change });
      expect(found.map((finding) => finding.code)).toContain(code);
      for (const finding of found) expect(finding.remedy.length).toBeGreaterThan(10);
    },
  );

  test('a TCP link needs its port by TCP and the peer channel’s by UDP', () => {
    const overTcp = loadSettings(text.replace('UDP {', 'TCP {'));
    const found = examine(overTcp, healthy).filter(({ code }) => code === 'sync-blocked');
    expect(found.map((finding) => finding.text)).toEqual([
      'the ruleset drops replication (TCP port 3780) that arrives on sync',
    ]);
    expect(found[0]?.remedy).toContain('tcp dport 3780 accept');
    const blocked = { ...healthy, ruleset: rulesetOf('syncBlocked') };
    const both = examine(overTcp, blocked).filter(({ code }) => code === 'sync-blocked');
    expect(both.map((finding) => finding.text)).toEqual([
      'the ruleset drops replication (TCP port 3780) that arrives on sync',
      'the ruleset drops replication (UDP port 3781) that arrives on sync',
    ]);
  });

  test('adverts of 20 ms want real time', () => {
    const fast = text.replace('  priority 100', '  version 3\n  advert_int 0.02\n  priority 100');
    expect(examine(loadSettings(fast), healthy).map(({ code }) => code)).toEqual(['fast-adverts']);
    const withRealTime = loadSettings(
      `${fast}Scheduler`
        .replace('General {', 'General {\n  Scheduler {\n    Type RR\n    Priority 10\n  }')
        .replace(/Scheduler$/, ''),
    );
    expect(examine(withRealTime, healthy)).toEqual([]);
  });

  test('an iptables ruleset that lets VRRP and sync in is fine', () => {
    expect(codes(iptables('iptablesGood'))).toEqual([]);
  });

  test('what iptables hides is evaluated where nft translates it', () => {
    const hidden = codes(iptables('iptablesExtensions'));
    expect(hidden).toContain('vrrp-blocked');
    expect(hidden).not.toContain('vrrp-unknown');
    expect(hidden.filter((code) => code.startsWith('sync'))).toEqual([]);
  });

  test('an iptables extension that nobody translates is named', () => {
    const found = examine(settings, { ...healthy, ...iptables('iptablesString') });
    expect(found.find(({ code }) => code === 'vrrp-unknown')).toMatchObject({
      severity: 'unknown',
      text:
        'cannot tell whether VRRP (IP protocol 112) that arrives on lan passes, because of rule ' +
        '"xt match string accept" with iptables\' string (chain ip filter INPUT, handle 9)',
    });
    // Without iptables' plugins nft lists nothing where the extensions stand.
    const { ruleset } = iptables('iptablesBlocked');
    expect(codes({ ruleset }).filter((code) => code.startsWith('vrrp'))).toEqual(['vrrp-unknown']);
  });

  test('SNAT of iptables to an address that stays is read from the listing', () => {
    const { ruleset } = iptables('iptablesGood');
    const text = readFileSync(join(repositoryRoot, 'test/vectors/nft/iptablesGood.txt'), 'utf8');
    const listing = parseListing(text.replace('10.2.0.254', '10.2.0.1'));
    expect(codes({ ruleset, listing })).toEqual(['snat-stays']);
  });

  test('reads the effective capabilities of a process', () => {
    expect(missingCapabilities('CapEff:\t0000000000003000\n')).toEqual([]);
    expect(missingCapabilities('CapEff:\t0000000000001000\n')).toEqual(['CAP_NET_RAW']);
    expect(missingCapabilities('CapEff:\t0000000000000000\n')).toHaveLength(2);
    expect(missingCapabilities('nonsense')).toEqual([]);
  });

  describe('a verdict', () => {
    const rule = (...expr: object[]): NonNullable<MachineReport['ruleset']> => {
      const place = { family: 'inet', table: 'filter' };
      const chain = { ...place, name: 'input', hook: 'input', type: 'filter', policy: 'drop' };
      const tracking = { match: { op: '==', left: { ct: { key: 'state' } }, right: 'invalid' } };
      const ruleset = parseNftRuleset(
        JSON.stringify({
          nftables: [
            { chain },
            { rule: { ...place, chain: 'input', expr: [tracking, { drop: null }] } },
            { rule: { ...place, chain: 'input', expr } },
          ],
        }),
      );
      if (ruleset === undefined) throw new Error('no ruleset');
      return ruleset;
    };
    const l4 = { meta: { key: 'l4proto' } };
    const vmap = (data: unknown): object => ({ vmap: { key: l4, data } });

    test.each<readonly [string, object[], readonly string[]]>([
      ['of a map counts for its own key', [vmap({ set: [['vrrp', { accept: null }]] })], ['sync']],
      [
        'of a map with several keys counts for each',
        [vmap({ set: [[{ set: ['vrrp', 'udp'] }, { accept: null }]] })],
        [],
      ],
      ['of a map that drops counts', [vmap({ set: [['vrrp', { drop: null }]] })], ['vrrp', 'sync']],
      [
        'behind a limit may not fall',
        [{ match: { op: '==', left: l4, right: 'vrrp' } }, { limit: { rate: 9 } }, { drop: null }],
        ['vrrp', 'sync'],
      ],
    ])('%s', (_what, expr, blocked) => {
      const found = codes({ ruleset: rule(...expr) }).filter((code) => code.endsWith('-blocked'));
      expect([...new Set(found)]).toEqual(blocked.map((name) => `${name}-blocked`));
    });

    test('of a map that is not in the ruleset is not known', () => {
      const found = codes({ ruleset: rule(vmap('@wanted')) });
      expect(new Set(found.filter((code) => code.endsWith('-unknown')))).toEqual(
        new Set(['vrrp-unknown', 'sync-unknown']),
      );
      expect(found.filter((code) => code.endsWith('-blocked'))).toEqual([]);
    });

    test('behind a limit is neither a drop nor a pass where the policy accepts', () => {
      const { chains, ...rest } = rule({ limit: { rate: 9, inv: true } }, { drop: null });
      const ruleset = { ...rest, chains: chains.map((one) => ({ ...one, policy: 'accept' })) };
      expect(codes({ ruleset })).not.toContain('vrrp-blocked');
      expect(codes({ ruleset })).toContain('vrrp-unknown');
    });
  });

  test('text that is not a ruleset is not one', () => {
    expect(parseNftRuleset('')).toBeUndefined();
    expect(parseNftRuleset('{"nftables": 3}')).toBeUndefined();
    expect(parseNftRuleset('{"nftables": [3, {"rule": null}, {"chain": {}}]}')).toEqual({
      chains: [],
      rules: [],
      sets: [],
    });
  });

  test('prints each finding with its remedy', () => {
    const finding: Finding = {
      severity: 'error',
      code: 'x',
      text: 'it is off',
      remedy: 'turn it on',
    };
    expect(findingsText([finding], { colour: false, columns: 80 })).toBe(
      'error   it is off\n        remedy: turn it on',
    );
    expect(findingsText([], { colour: false, columns: 80 })).toContain('nothing was found');
  });
});

test('a zone of one direction is named: a conntrackd does not get it', () => {
  const line = '    ct original zone set 7 # handle 3';
  const listing = parseListing(
    `table inet t { # handle 1\n  chain c { # handle 2\n${line}\n  }\n}\n`,
  );
  const codes = examine(settings, { ...healthy, listing }).map(({ severity, code }) => [
    severity,
    code,
  ]);
  expect(codes).toContainEqual(['warning', 'direction-zones']);
  expect(examine(settings, healthy).map(({ code }) => code)).not.toContain('direction-zones');
});
