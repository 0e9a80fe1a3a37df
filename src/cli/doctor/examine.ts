/**
 * What would break a takeover, read off facts about the machine. Pure: facts.ts gathers them. A
 * fact that is undefined could not be learnt, and nothing is concluded from it; of the ruleset that
 * is said.
 */
import { formatIp } from '../../base/ipAddress.js';
import { withoutRealTime } from '../../config/machine/hastyAdverts.js';
import { incumbents, type Incumbents } from '../../config/machine/incumbents.js';
import {
  accounting,
  connectionTracking,
  forwarding,
  interfacesOfRoles,
  reversePath,
} from '../../config/machine/takeoverSysctls.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { NftRuleset } from '../../net/netlink/nftRules.js';
import type { Finding } from './doctorFinding.js';
import type { Listing } from './nft/rulesetListing.js';
import type { LinkAddresses } from './packets.js';
import { examineRuleset } from './ruleset.js';

export interface MachineReport {
  /** Values below /proc/sys by name with slashes. */
  readonly sysctls: Readonly<Record<string, number | undefined>>;
  /** All nftables rules, iptables-nft's included; undefined where they cannot be read. */
  readonly ruleset: NftRuleset | undefined;
  /** The same as text. */
  readonly listing: Listing;
  /**
   * Tables of iptables-legacy with rules or a policy in them, such as `ip filter`: nft does not see
   * them.
   */
  readonly legacyTables: readonly string[];
  /** Interfaces that are bridges; undefined: not known. */
  readonly bridges: ReadonlySet<string> | undefined;
  readonly addresses: LinkAddresses;
  /** Names of the effective capabilities that are missing. */
  readonly missingCapabilities: readonly string[];
  /** Those of the configuration that exist, with whether they are up. */
  readonly interfaces: ReadonlyMap<string, boolean>;
  readonly conntrackEntries: number | undefined;
  /** keepalived and conntrackd. */
  readonly incumbents: Incumbents;
}

export function examine(settings: NodeSettings, report: MachineReport): readonly Finding[] {
  return [
    ...forwarding(settings, report.sysctls),
    ...reversePath(settings, report.sysctls),
    ...incumbents(settings, report.incumbents),
    ...withoutRealTime(settings),
    ...interfaces(settings, report),
    ...capabilities(report),
    ...(settings.sync === undefined ? [] : [...tracksNothing(report), ...directionZones(report)]),
    ...connectionTracking(settings, report.sysctls, report.conntrackEntries),
    ...accounting(settings, report.sysctls),
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

function tracksNothing(report: MachineReport): Finding[] {
  const { sysctls, ruleset } = report;
  const findings: Finding[] = [];
  const limit = sysctls['net/netfilter/nf_conntrack_max'];
  if (limit === undefined || ruleset?.rules.some((rule) => rule.usesConntrack) === false) {
    findings.push(
      error(
        'no-conntrack',
        'no rule uses connection tracking: the kernel tracks nothing, so there is nothing to replicate',
        'load the ruleset (a ct state rule, or a nat chain) on both nodes before keepstate starts',
      ),
    );
  }
  return findings;
}

/** A zone of one direction has no place in conntrackd's messages; between keepstates it travels. */
function directionZones({ listing }: MachineReport): Finding[] {
  const rule = [...listing.rules.values()].find((text) =>
    /\bct (original|reply) zone set\b/.test(text),
  );
  if (rule === undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'direction-zones',
      text: `a rule sets a zone for one direction (${rule}): a conntrackd or a keepstate 0.1.0 as peer gets such flows without it`,
      remedy: 'run keepstate of this version on both nodes, or set the zone for both directions',
    },
  ];
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
