/**
 * What would break a takeover, read off facts about the machine. Pure: facts.ts gathers them. A fact that is undefined
 * could not be learnt, and nothing is concluded from it; of the ruleset that is said.
 */
import { formatIp } from '../../base/ipAddress.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { NftRuleset } from '../../net/nftRules.js';
import type { Finding } from './finding.js';
import type { Listing } from './nft/listing.js';
import type { LinkAddresses } from './packets.js';
import { examineRuleset } from './ruleset.js';

export interface MachineReport {
  /** Values below /proc/sys by name with slashes. */
  readonly sysctls: Readonly<Record<string, number | undefined>>;
  /** All nftables rules, iptables-nft's included; undefined where they cannot be read. */
  readonly ruleset: NftRuleset | undefined;
  /** The same as text. */
  readonly listing: Listing;
  /** Tables of iptables-legacy with rules or a policy in them, such as `ip filter`: nft does not see them. */
  readonly legacyTables: readonly string[];
  /** Interfaces that are bridges; undefined: not known. */
  readonly bridges: ReadonlySet<string> | undefined;
  readonly addresses: LinkAddresses;
  /** Names of the effective capabilities that are missing. */
  readonly missingCapabilities: readonly string[];
  /** Those of the configuration that exist, with whether they are up. */
  readonly interfaces: ReadonlyMap<string, boolean>;
  readonly conntrackEntries: number | undefined;
}

export function examine(settings: NodeSettings, report: MachineReport): readonly Finding[] {
  return [
    ...forwarding(settings, report),
    ...reversePath(settings, report),
    ...interfaces(settings, report),
    ...capabilities(report),
    ...(settings.sync === undefined ? [] : connectionTracking(settings, report)),
    ...legacyTables(report),
    ...rules(settings, report),
  ];
}

function rules(settings: NodeSettings, report: MachineReport): readonly Finding[] {
  const { ruleset, listing, bridges, addresses } = report;
  if (ruleset === undefined) return [rulesetUnknown];
  const filter = { ruleset, listing, bridges };
  return examineRuleset(settings, filter, addresses, movingAddresses(settings));
}

const rulesetUnknown: Finding = {
  severity: 'unknown',
  code: 'ruleset-unknown',
  text: 'cannot tell whether VRRP and replication pass: the ruleset cannot be read',
  remedy: 'run doctor as root, with nft installed (apt-get install nftables)',
};

function error(code: string, text: string, remedy: string): Finding {
  return { severity: 'error', code, text, remedy };
}

function warning(code: string, text: string, remedy: string): Finding {
  return { severity: 'warning', code, text, remedy };
}

function forwarding({ vrrp }: NodeSettings, { sysctls }: MachineReport): Finding[] {
  const families = new Set(vrrp.instances.map((instance) => instance.family));
  const findings: Finding[] = [];
  if (families.has(4) && sysctls['net/ipv4/ip_forward'] === 0) {
    findings.push(
      error(
        'forwarding-off',
        'IPv4 forwarding is off: as MASTER this node would swallow the traffic',
        'sysctl -w net.ipv4.ip_forward=1, and keep it in /etc/sysctl.d',
      ),
    );
  }
  if (families.has(6) && sysctls['net/ipv6/conf/all/forwarding'] === 0) {
    findings.push(
      error(
        'forwarding-off',
        'IPv6 forwarding is off: as MASTER this node would swallow the traffic',
        'sysctl -w net.ipv6.conf.all.forwarding=1, and keep it in /etc/sysctl.d',
      ),
    );
  }
  return findings;
}

/** The kernel takes the greater of `all` and the interface's own value. */
function reversePath({ vrrp }: NodeSettings, { sysctls }: MachineReport): Finding[] {
  const all = sysctls['net/ipv4/conf/all/rp_filter'] ?? 0;
  return interfacesOfRoles(vrrp.instances.filter(({ family }) => family === 4)).flatMap((name) => {
    const own = sysctls[`net/ipv4/conf/${name}/rp_filter`];
    if (own === undefined || Math.max(all, own) !== 1) return [];
    return [
      warning(
        'rp-filter-strict',
        `strict reverse path filtering on ${name} drops what arrives on another way than answers leave`,
        `sysctl -w net.ipv4.conf.${name}.rp_filter=2 (and "all"), unless all paths are symmetric`,
      ),
    ];
  });
}

function interfaces(settings: NodeSettings, report: MachineReport): Finding[] {
  return interfacesOf(settings).flatMap((name) => {
    const isUp = report.interfaces.get(name);
    if (isUp === undefined) {
      return [
        error('no-interface', `there is no interface ${name}`, 'correct its name, or create it'),
      ];
    }
    return isUp ? [] : [error('interface-down', `${name} is down`, `ip link set ${name} up`)];
  });
}

function capabilities({ missingCapabilities }: MachineReport): Finding[] {
  if (missingCapabilities.length === 0) return [];
  return [
    error(
      'capabilities',
      `this user lacks ${missingCapabilities.join(', ')}`,
      'run as root, or give the capabilities as config/keepstate.service does',
    ),
  ];
}

function connectionTracking(settings: NodeSettings, report: MachineReport): Finding[] {
  const { sysctls, ruleset } = report;
  const findings: Finding[] = [];
  const limit = sysctls['net/netfilter/nf_conntrack_max'];
  const table = settings.sync?.hashLimit ?? 0;
  if (limit === undefined || ruleset?.rules.some((rule) => rule.usesConntrack) === false) {
    findings.push(
      error(
        'no-conntrack',
        'no rule uses connection tracking: the kernel tracks nothing, so there is nothing to replicate',
        'load the ruleset (a ct state rule, or a nat chain) on both nodes before keepstate starts',
      ),
    );
  }
  // HashLimit is to be twice nf_conntrack_max, so only less than half of it is a mistake.
  if (limit !== undefined && limit > 0 && table > 2 * limit) {
    findings.push(
      warning(
        'conntrack-max',
        `nf_conntrack_max (${limit}) is less than half of HashLimit (${table}): a commit stops when the kernel's table is full`,
        `sysctl -w net.netfilter.nf_conntrack_max=${Math.ceil(table / 2)}, on both nodes`,
      ),
    );
  }
  if (sysctls['net/netfilter/nf_conntrack_events'] === 0) {
    findings.push(
      error(
        'conntrack-events',
        'nf_conntrack_events is 0: the kernel tells nobody of new flows, so nothing is replicated',
        'sysctl -w net.netfilter.nf_conntrack_events=1, and keep it in /etc/sysctl.d',
      ),
    );
  }
  const used = report.conntrackEntries;
  if (limit !== undefined && used !== undefined && used > limit * 0.9) {
    findings.push(
      error(
        'conntrack-full',
        `the kernel table is ${Math.floor((100 * used) / limit)} % full (${used} of ${limit})`,
        'raise net.netfilter.nf_conntrack_max on both nodes',
      ),
    );
  }
  if (sysctls['net/netfilter/nf_conntrack_tcp_loose'] === 1) {
    findings.push(
      warning(
        'tcp-loose',
        'tcp_loose is on: packets that arrive before their flow make a new one, with a wrong NAT mapping',
        'sysctl -w net.netfilter.nf_conntrack_tcp_loose=0 on both nodes',
      ),
    );
  }
  return findings;
}

function legacyTables({ legacyTables: tables }: MachineReport): Finding[] {
  if (tables.length === 0) return [];
  return [
    {
      severity: 'unknown',
      code: 'legacy-tables',
      text: `cannot tell whether VRRP and replication pass: iptables-legacy has rules (${tables.join(', ')}), which nft does not show`,
      remedy: 'use nft or iptables-nft, or look at iptables-legacy-save by hand',
    },
  ];
}

/** Where VRRP runs, and where the addresses go. */
export function interfacesOfRoles(instances: NodeSettings['vrrp']['instances']): readonly string[] {
  const names = instances.flatMap(({ interfaceName, virtualAddresses, excludedAddresses }) => [
    interfaceName,
    ...[...virtualAddresses, ...excludedAddresses].map(({ spec }) => spec.interfaceName),
  ]);
  return [...new Set(names)];
}

/** Those of the roles and of the sync links. */
export function interfacesOf({ vrrp, sync }: NodeSettings): readonly string[] {
  const links = sync?.links.map((link) => link.interfaceName) ?? [];
  return [...new Set([...interfacesOfRoles(vrrp.instances), ...links])];
}

/** The checks could not be made where they count, and elsewhere they would say nothing. */
export function namespaceUnknown(name: string, because: string): Finding {
  return error(
    'net-namespace',
    `nothing was looked at: the network namespace ${name} (net_namespace) cannot be entered: ${because}`,
    `run doctor as root; ip netns list shows whether ${name} exists, ip netns add ${name} makes it`,
  );
}

/** All addresses that move with the role, as text. */
export function movingAddresses({ vrrp }: NodeSettings): ReadonlySet<string> {
  return new Set(
    vrrp.instances.flatMap((instance) =>
      [...instance.virtualAddresses, ...instance.excludedAddresses].map((vip) =>
        formatIp(vip.spec.address),
      ),
    ),
  );
}
