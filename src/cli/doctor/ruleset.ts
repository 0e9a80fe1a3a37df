/** What a ruleset does to a takeover: VRRP or sync blocked, INVALID accepted, NAT to an address that stays. Pure. */
import type { NodeSettings } from '../../config/nodeSettings.js';
import type { Finding } from './examine.js';
import { formatIp } from '../../base/ipAddress.js';
import { natThatStays, type NftChain, type NftMatch, type NftRuleset } from '../../net/nftRules.js';

type SyncLink = NonNullable<NodeSettings['sync']>['links'][number];

/** A packet as far as rules are read. */
interface Probe {
  readonly family: 4 | 6;
  readonly protocol: string;
  readonly protocolNumber: string;
  /** undefined in output. */
  readonly inputInterface: string | undefined;
  /** undefined in input. */
  readonly outputInterface: string | undefined;
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

type Hook = 'input' | 'output';

/**
 * The base chain that surely drops the packet, if there is one. A rule that may or may not match counts as letting it
 * pass; a rule for established flows does not: a BACKUP only listens, so its flows are always new.
 */
function droppingChain(ruleset: NftRuleset, hook: Hook, probe: Probe): NftChain | undefined {
  return ruleset.chains
    .filter((chain) => chain.hook === hook && chain.type === 'filter')
    .filter((chain) => applies(chain.family, probe.family))
    .find((chain) => {
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
    outputInterface: [probe.outputInterface],
    ctState: ['new'],
    unknown: undefined,
  };
  const actual = known[field];
  // A prefix or an interface pattern may cover it.
  if (actual === undefined || values.some((value) => /[*/]/.test(value))) return 'maybe';
  const isEqual = values.some((value) => actual.includes(value));
  return isEqual === isNegated ? 'no' : 'yes';
}

/** The packet as each of the two hooks of `name` sees it. */
function hooksOf(name: string): readonly (Pick<Probe, 'inputInterface' | 'outputInterface'> & {
  readonly hook: Hook;
  readonly way: string;
  readonly match: string;
})[] {
  return [
    {
      hook: 'input',
      way: `arrives on ${name}`,
      match: `iifname "${name}"`,
      inputInterface: name,
      outputInterface: undefined,
    },
    {
      hook: 'output',
      way: `leaves on ${name}`,
      match: `oifname "${name}"`,
      inputInterface: undefined,
      outputInterface: name,
    },
  ];
}

function vrrpBlocked({ vrrp }: NodeSettings, ruleset: NftRuleset): Finding[] {
  const found = vrrp.instances.flatMap((instance) =>
    hooksOf(instance.interfaceName).flatMap(({ hook, way, match, ...interfaces }): Finding[] => {
      const chain = droppingChain(ruleset, hook, {
        ...interfaces,
        family: instance.family,
        protocol: 'vrrp',
        protocolNumber: '112',
        destination:
          instance.unicastPeers.length > 0 ? undefined : formatIp(instance.multicastGroup),
        destinationPort: undefined,
      });
      if (chain === undefined) return [];
      return [
        {
          severity: 'error',
          code: 'vrrp-blocked',
          text: `the ruleset drops VRRP (IP protocol 112) that ${way}: both nodes would be MASTER`,
          remedy: `nft insert rule ${chain.name} ${match} meta l4proto vrrp accept`,
        },
      ];
    }),
  );
  // Several instances on one interface say the same.
  return found.filter((one, i) => found.findIndex(({ text }) => text === one.text) === i);
}

function syncBlocked({ sync }: NodeSettings, ruleset: NftRuleset): Finding[] {
  const ports = (link: SyncLink): (readonly ['tcp' | 'udp', number])[] => [
    [link.kind === 'tcp' ? 'tcp' : 'udp', link.port],
    // The peer channel is UDP beside a TCP link, too.
    ...(sync?.peerPort === undefined ? [] : [['udp', sync.peerPort] as const]),
  ];
  return (sync?.links ?? []).flatMap((link) =>
    ports(link).flatMap(([protocol, port]) =>
      hooksOf(link.interfaceName).flatMap(({ hook, way, match, ...interfaces }): Finding[] => {
        const chain = droppingChain(ruleset, hook, {
          ...interfaces,
          family: link.family,
          protocol,
          protocolNumber: protocol === 'tcp' ? '6' : '17',
          destination: undefined,
          destinationPort: String(port),
        });
        if (chain === undefined) return [];
        return [
          {
            severity: 'error',
            code: 'sync-blocked',
            text: `the ruleset drops replication (${protocol.toUpperCase()} port ${port}) that ${way}`,
            remedy: `nft insert rule ${chain.name} ${match} ${protocol} dport ${port} accept`,
          },
        ];
      }),
    ),
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
      remedy: `nft insert rule ${forward[0]?.name ?? 'inet filter forward'} ct state invalid drop`,
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
