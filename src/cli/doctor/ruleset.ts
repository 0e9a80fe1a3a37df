/** What a ruleset does to a takeover: VRRP or sync blocked, INVALID accepted, NAT to an address that stays. Pure. */
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { Finding } from './examine.js';
import { natThatStays, type NftMatch, type NftRuleset } from '../../net/nftRules.js';

/** A packet as far as rules are read. */
export interface Probe {
  readonly family: 4 | 6;
  readonly protocol: string;
  readonly protocolNumber: string;
  readonly inputInterface: string;
  readonly destination: string | undefined;
  readonly destinationPort: string | undefined;
}

export function examineRuleset(
  settings: NodeSettings,
  ruleset: NftRuleset,
  moving: ReadonlySet<string>,
): readonly Finding[] {
  return [
    ...vrrpBlocked(settings, ruleset),
    ...syncBlocked(settings, ruleset),
    ...(settings.sync === undefined
      ? []
      : [...invalidAccepted(ruleset), ...stayingNat(ruleset, moving)]),
  ];
}

/**
 * Whether some input chain surely drops the packet. A rule that may or may not match counts as letting it pass;
 * a rule for established flows does not: a BACKUP only listens, so its flows are always new.
 */
export function isDropped(ruleset: NftRuleset, probe: Probe): boolean {
  return ruleset.chains
    .filter((chain) => chain.hook === 'input' && chain.type === 'filter')
    .filter((chain) => applies(chain.family, probe.family))
    .some((chain) => {
      const verdict = walk(ruleset, chain.name, probe, 0);
      return verdict === 'drop' || (verdict === undefined && chain.policy === 'drop');
    });
}

function applies(family: string, packet: 4 | 6): boolean {
  return family === 'inet' || family === (packet === 4 ? 'ip' : 'ip6');
}

const deepestJump = 16;

function walk(
  ruleset: NftRuleset,
  chain: string,
  probe: Probe,
  depth: number,
): 'accept' | 'drop' | undefined {
  if (depth > deepestJump) return 'accept';
  for (const rule of ruleset.rules.filter((one) => one.chain === chain)) {
    const fit = fits(rule.matches, probe);
    if (fit === 'no') continue;
    if (rule.verdict === 'accept') return 'accept';
    if (rule.verdict === 'drop' && fit === 'yes') return 'drop';
    if (rule.verdict === 'return' && fit === 'yes') return undefined;
    if (rule.verdict === 'jump' && rule.target !== undefined) {
      const inner = walk(ruleset, rule.target, probe, depth + 1);
      if (inner === 'accept' || (inner === 'drop' && fit === 'yes')) return inner;
    }
  }
  return undefined;
}

function fits(matches: readonly NftMatch[], probe: Probe): 'yes' | 'no' | 'maybe' {
  const results = matches.map((match) => fit(match, probe));
  if (results.includes('no')) return 'no';
  return results.includes('maybe') ? 'maybe' : 'yes';
}

function fit({ field, values, isNegated }: NftMatch, probe: Probe): 'yes' | 'no' | 'maybe' {
  const known: Readonly<Record<NftMatch['field'], readonly (string | undefined)[] | undefined>> = {
    protocol: [probe.protocol, probe.protocolNumber],
    destinationPort: [probe.destinationPort],
    destination: probe.destination === undefined ? undefined : [probe.destination],
    inputInterface: [probe.inputInterface],
    ctState: ['new'],
    unknown: undefined,
  };
  const actual = known[field];
  // A prefix or an interface pattern may cover it.
  if (actual === undefined || values.some((value) => /[*/]/.test(value))) return 'maybe';
  const isEqual = values.some((value) => actual.includes(value));
  return isEqual === isNegated ? 'no' : 'yes';
}

function vrrpBlocked({ vrrp }: NodeSettings, ruleset: NftRuleset): Finding[] {
  const blocked = vrrp.instances.filter((instance) =>
    isDropped(ruleset, {
      family: instance.family,
      protocol: 'vrrp',
      protocolNumber: '112',
      inputInterface: instance.interfaceName,
      destination:
        instance.unicastPeers.length > 0
          ? undefined
          : instance.family === 4
            ? instance.multicastGroup.bytes.join('.')
            : 'ff02::12',
      destinationPort: undefined,
    }),
  );
  const names = [...new Set(blocked.map((instance) => instance.interfaceName))];
  return names.map((name) => ({
    severity: 'error',
    code: 'vrrp-blocked',
    text: `the ruleset drops VRRP (IP protocol 112) on ${name}: both nodes would be MASTER`,
    remedy: `nft insert rule inet filter input iifname "${name}" meta l4proto vrrp accept`,
  }));
}

function syncBlocked({ sync }: NodeSettings, ruleset: NftRuleset): Finding[] {
  const links = sync?.links.filter((link) => link.kind !== 'tcp') ?? [];
  const ports = (port: number): number[] =>
    sync?.peerPort === undefined ? [port] : [port, sync.peerPort];
  return links.flatMap((link) =>
    ports(link.port)
      .filter((port) =>
        isDropped(ruleset, {
          family: link.family,
          protocol: 'udp',
          protocolNumber: '17',
          inputInterface: link.interfaceName,
          destination: undefined,
          destinationPort: String(port),
        }),
      )
      .map((port) => ({
        severity: 'error',
        code: 'sync-blocked',
        text: `the ruleset drops replication (UDP port ${port}) on ${link.interfaceName}`,
        remedy: `nft insert rule inet filter input iifname "${link.interfaceName}" udp dport ${port} accept`,
      })),
  );
}

/** A forward chain that lets NEW or everything pass without a rule against INVALID. */
function invalidAccepted({ chains, rules }: NftRuleset): Finding[] {
  const forward = chains.filter((chain) => chain.hook === 'forward' && chain.type === 'filter');
  const drops = rules.some(
    (rule) =>
      rule.verdict === 'drop' &&
      rule.matches.some((one) => one.field === 'ctState' && one.values.includes('invalid')),
  );
  const open = forward.length === 0 || forward.every((chain) => chain.policy === 'accept');
  if (drops || !open) return [];
  return [
    {
      severity: 'warning',
      code: 'invalid-accepted',
      text: 'INVALID packets are forwarded: what arrives before its flow leaves without NAT and breaks it',
      remedy: 'nft insert rule inet filter forward ct state invalid drop',
    },
  ];
}

function stayingNat({ rules }: NftRuleset, moving: ReadonlySet<string>): Finding[] {
  return natThatStays(rules, moving).map(({ kind, outputInterface, address }): Finding => {
    const on = outputInterface === undefined ? '' : ` on ${outputInterface}`;
    if (kind === 'masquerade') {
      return {
        severity: 'error',
        code: 'masquerade',
        text: `MASQUERADE${on} uses the interface's own address, which does not move to the peer: flows break`,
        remedy: 'use "snat to" the virtual address instead',
      };
    }
    return {
      severity: 'warning',
      code: 'snat-stays',
      text: `SNAT${on} to ${address ?? '?'}, which is no virtual address: it does not move to the peer`,
      remedy: `use one of the virtual addresses: ${[...moving].join(', ')}`,
    };
  });
}
