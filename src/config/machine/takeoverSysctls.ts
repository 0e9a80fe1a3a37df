/**
 * What kernel settings do to a takeover: asked by doctor before the start, and by the daemon while
 * it runs. Pure; a value that is undefined could not be learnt, and nothing is concluded from it.
 */
import type { NodeSettings } from '../nodeSettings.js';
import { machineError, machineWarning, type MachineFinding } from './finding.js';

/** Values below /proc/sys by name with slashes. */
export type Sysctls = Readonly<Record<string, number | undefined>>;

/** Names of those that count for these settings. */
export function sysctlNames({ vrrp, statistics }: NodeSettings): readonly string[] {
  return [
    'net/ipv4/ip_forward',
    'net/ipv6/conf/all/forwarding',
    'net/ipv4/conf/all/rp_filter',
    ...interfacesOfRoles(vrrp.instances).map((name) => `net/ipv4/conf/${name}/rp_filter`),
    'net/netfilter/nf_conntrack_events',
    'net/netfilter/nf_conntrack_max',
    'net/netfilter/nf_conntrack_count',
    'net/netfilter/nf_conntrack_tcp_loose',
    ...(statistics === undefined ? [] : ['net/netfilter/nf_conntrack_acct']),
  ];
}

/** A MASTER that does not forward. */
export function forwarding({ vrrp }: NodeSettings, sysctls: Sysctls): MachineFinding[] {
  const families = new Set(vrrp.instances.map((instance) => instance.family));
  const findings: MachineFinding[] = [];
  if (families.has(4) && sysctls['net/ipv4/ip_forward'] === 0) {
    findings.push(
      machineError(
        'forwarding-off',
        'IPv4 forwarding is off: as MASTER this node would swallow the traffic',
        'sysctl -w net.ipv4.ip_forward=1, and keep it in /etc/sysctl.d',
        'IPv4',
      ),
    );
  }
  if (families.has(6) && sysctls['net/ipv6/conf/all/forwarding'] === 0) {
    findings.push(
      machineError(
        'forwarding-off',
        'IPv6 forwarding is off: as MASTER this node would swallow the traffic',
        'sysctl -w net.ipv6.conf.all.forwarding=1, and keep it in /etc/sysctl.d',
        'IPv6',
      ),
    );
  }
  return findings;
}

/** The kernel takes the greater of `all` and the interface's own value. */
export function reversePath({ vrrp }: NodeSettings, sysctls: Sysctls): MachineFinding[] {
  const all = sysctls['net/ipv4/conf/all/rp_filter'] ?? 0;
  return interfacesOfRoles(vrrp.instances.filter(({ family }) => family === 4)).flatMap((name) => {
    const own = sysctls[`net/ipv4/conf/${name}/rp_filter`];
    if (own === undefined || Math.max(all, own) !== 1) return [];
    return [
      machineWarning(
        'rp-filter-strict',
        `strict reverse path filtering on ${name} drops what arrives on another way than answers leave`,
        `sysctl -w net.ipv4.conf.${name}.rp_filter=2 (and "all"), unless all paths are symmetric`,
        name,
      ),
    ];
  });
}

/** What replication, and the log of ended connections, need of the kernel's flow table. */
export function connectionTracking(
  { sync, statistics }: NodeSettings,
  sysctls: Sysctls,
  used: number | undefined,
): MachineFinding[] {
  if (sync === undefined && statistics === undefined) return [];
  const findings: MachineFinding[] = [];
  const limit = sysctls['net/netfilter/nf_conntrack_max'];
  const table = sync?.hashLimit ?? 0;
  // HashLimit is to be twice nf_conntrack_max, so only less than half of it is a mistake.
  if (limit !== undefined && limit > 0 && table > 2 * limit) {
    findings.push(
      machineWarning(
        'conntrack-max',
        `nf_conntrack_max (${limit}) is less than half of HashLimit (${table}): a commit stops when the kernel's table is full`,
        `sysctl -w net.netfilter.nf_conntrack_max=${Math.ceil(table / 2)}, on both nodes`,
      ),
    );
  }
  if (sysctls['net/netfilter/nf_conntrack_events'] === 0) {
    findings.push(
      machineError(
        'conntrack-events',
        `nf_conntrack_events is 0: the kernel tells nobody of new flows, so nothing is ${sync === undefined ? 'logged' : 'replicated'}`,
        'sysctl -w net.netfilter.nf_conntrack_events=1, and keep it in /etc/sysctl.d',
      ),
    );
  }
  if (limit !== undefined && used !== undefined && used > limit * 0.9) {
    findings.push(
      machineError(
        'conntrack-full',
        `the kernel table is ${Math.floor((100 * used) / limit)} % full (${used} of ${limit})`,
        'raise net.netfilter.nf_conntrack_max on both nodes',
      ),
    );
  }
  if (sync !== undefined && sysctls['net/netfilter/nf_conntrack_tcp_loose'] === 1) {
    findings.push(
      machineWarning(
        'tcp-loose',
        'tcp_loose is on: packets that arrive before their flow make a new one, with a wrong NAT mapping',
        'sysctl -w net.netfilter.nf_conntrack_tcp_loose=0 on both nodes',
      ),
    );
  }
  return findings;
}

/** The log of ended connections without what most of its readers look for. */
export function accounting({ statistics }: NodeSettings, sysctls: Sysctls): MachineFinding[] {
  if (statistics === undefined || sysctls['net/netfilter/nf_conntrack_acct'] !== 0) return [];
  return [
    machineWarning(
      'conntrack-acct',
      'nf_conntrack_acct is 0: lines about ended connections (Stats) have no packets= and bytes=',
      'sysctl -w net.netfilter.nf_conntrack_acct=1, and nf_conntrack_timestamp=1 for delta-time=; both count for connections that begin afterwards',
    ),
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
