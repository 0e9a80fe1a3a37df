/**
 * What a ruleset does to a takeover: VRRP or sync blocked, INVALID accepted, NAT to an address that
 * stays. Pure.
 */
import type { NodeSettings } from '../../config/nodeSettings.js';
import { natThatStays, type NftChain, type NftRule } from '../../net/netlink/nftRules.js';
import type { Finding } from './doctorFinding.js';
import type { Packet } from './nft/packet.js';
import { ruleText, verdictFor, type Filter, type Verdict } from './nft/way.js';
import { packetsOf, type ExpectedPacket, type LinkAddresses } from './packets.js';

export function examineRuleset(
  settings: NodeSettings,
  filter: Filter,
  addresses: LinkAddresses,
  moving: ReadonlySet<string>,
): readonly Finding[] {
  const found = packetsOf(settings, addresses, moving).flatMap((expected) =>
    packetFinding(expected, verdictFor(expected.packet, filter), filter),
  );
  return [
    // Several instances on one interface say the same.
    ...found.filter((one, i) => found.findIndex(({ text }) => text === one.text) === i),
    ...(settings.sync === undefined
      ? []
      : [...invalidAccepted(settings, filter), ...stayingNat(filter, moving)]),
  ];
}

function packetFinding(expected: ExpectedPacket, verdict: Verdict, filter: Filter): Finding[] {
  if (verdict.kind === 'passes') return [];
  const { code, what, way, consequence } = expected;
  const insert = `nft insert rule ${verdict.chain.name} ${admission(expected, verdict.chain)}`;
  if (verdict.kind === 'dropped') {
    return [
      {
        severity: 'error',
        code: `${code}-blocked`,
        text: `the ruleset drops ${what} that ${way}${consequence}`,
        remedy: insert,
      },
    ];
  }
  return [
    {
      severity: 'unknown',
      code: `${code}-unknown`,
      text: `cannot tell whether ${what} that ${way} passes, ${because(verdict, filter)}`,
      remedy: `a rule before it that surely lets it pass: ${insert}`,
    },
  ];
}

function admission({ packet, admits }: ExpectedPacket, { family }: NftChain): string {
  const name = packet.direction === 'in' ? 'iifname' : 'oifname';
  // A bridge sees the port, and not the bridge.
  return `${family === 'bridge' ? '' : `${name} "${packet.interfaceName}" `}${admits} accept`;
}

const rulesShown = 3;

function because(verdict: Verdict & { kind: 'unclear' }, filter: Filter): string {
  const { rules, chain } = verdict;
  if (rules.length === 0) {
    return `because of chain ${chain.name}: nft does not say which device or bridge it belongs to`;
  }
  const shown = rules.slice(0, rulesShown).map((rule) => describe(rule, filter));
  const more = rules.length - shown.length;
  return `because of rule ${shown.join(' and ')}${more > 0 ? `, and ${more} more` : ''}`;
}

function describe(rule: NftRule, { listing }: Filter): string {
  const text = ruleText(rule, listing) ?? JSON.stringify(rule.expressions);
  return `"${text}"${hiddenParts(rule)} (chain ${rule.chain}, handle ${rule.handle})`;
}

/** iptables extensions by name: without iptables' plugins nft lists nothing in their place. */
function hiddenParts({ expressions }: NftRule): string {
  const names = expressions.flatMap((one) => {
    const xt = one['xt'];
    return typeof xt === 'object' && xt !== null && 'name' in xt ? [String(xt.name)] : [];
  });
  return names.length === 0 ? '' : ` with iptables' ${names.join(', ')}`;
}

/** A packet that connection tracking calls INVALID, forwarded between any interfaces. */
function invalidPacket(family: 4 | 6): Packet {
  return {
    family,
    protocol: 'tcp',
    interfaceName: '',
    direction: 'through',
    connection: 'invalid',
    sources: [],
    destinations: [],
    isMulticast: false,
    isOnLink: false,
  };
}

/**
 * Nothing on the way of forwarded packets drops INVALID for sure, and what no rule takes is let
 * through.
 */
function invalidAccepted({ vrrp }: NodeSettings, filter: Filter): Finding[] {
  const families = [...new Set(vrrp.instances.map(({ family }) => family))];
  const isOpen = families.some((family) => {
    const verdict = verdictFor(invalidPacket(family), filter);
    if (verdict.kind !== 'unclear') return verdict.kind === 'passes';
    // A rule by connection state that cannot be read (iptables without its plugins) is taken for
    // the usual one.
    return verdict.otherwise === 'accept' && !verdict.rules.some((rule) => rule.usesConntrack);
  });
  if (!isOpen) return [];
  const chain = filter.ruleset.chains.find(
    ({ hook, type, family }) =>
      hook === 'forward' && type === 'filter' && ['inet', 'ip', 'ip6'].includes(family),
  );
  return [
    {
      severity: 'warning',
      code: 'invalid-accepted',
      text: 'INVALID packets are forwarded: what arrives before its flow leaves without NAT and breaks it',
      remedy:
        chain === undefined
          ? newForwardChain
          : `nft insert rule ${chain.name} ct state invalid drop`,
    },
  ];
}

const newForwardChain = `nft '${[
  'add table inet invalid_drop',
  'add chain inet invalid_drop forward { type filter hook forward priority 0; }',
  'add rule inet invalid_drop forward ct state invalid drop',
].join('; ')}'`;

function stayingNat({ ruleset, listing }: Filter, moving: ReadonlySet<string>): Finding[] {
  const rules = ruleset.rules.map((rule) => withSourceOf(rule, ruleText(rule, listing)));
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

/** iptables' SNAT says its address in the listing only. */
function withSourceOf(rule: NftRule, text: string | undefined): NftRule {
  const snatTo = rule.snatTo ?? /\bsnat to ([\d.a-f:]+)/.exec(text ?? '')?.[1];
  return snatTo === undefined ? rule : { ...rule, snatTo };
}
