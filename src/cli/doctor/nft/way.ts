/** The way of one packet through the hooks of the kernel, from its device to its socket or back. */
import type { NftChain, NftRule, NftRuleset } from '../../../net/netlink/nftRules.js';
import { fieldsOf, objectsOf, textOf } from '../../../net/netlink/nftJson.js';
import type { Answer } from './domain.js';
import type { Listing } from './rulesetListing.js';
import type { ConnectionState, Packet, Situation } from './packet.js';
import { walk, type Ending, type Rules, type Walked } from './walk.js';

export type Verdict =
  | { readonly kind: 'passes' }
  | { readonly kind: 'dropped'; readonly chain: NftChain }
  /** `rules`: those that may make the difference. */
  | {
      readonly kind: 'unclear';
      readonly chain: NftChain;
      readonly rules: readonly NftRule[];
      /** Where none of them applies. */
      readonly otherwise: 'accept' | 'drop' | undefined;
    };

/** A ruleset, ready to be asked. */
export interface Filter {
  readonly ruleset: NftRuleset;
  readonly listing: Listing;
  /** Names of links that are bridges; undefined: not known. */
  readonly bridges: ReadonlySet<string> | undefined;
}

/** Hooks in the order in which a packet meets them. */
const hooks: Readonly<Record<Packet['direction'], readonly string[]>> = {
  in: ['ingress', 'prerouting', 'input'],
  out: ['output', 'postrouting', 'egress'],
  through: ['prerouting', 'forward', 'postrouting'],
};
/**
 * NF_IP_PRI_CONNTRACK_DEFRAG and NF_IP_PRI_CONNTRACK: tracking begins behind chains before this.
 */
const trackingPriority = -200;

/** Whether the packet comes through. One chain that surely drops outweighs all doubts elsewhere. */
export function verdictFor(packet: Packet, filter: Filter): Verdict {
  const { ruleset } = filter;
  const rules = indexed(filter);
  const elementsOf = setsOf(ruleset);
  const maybeMarked = ruleset.rules.some(setsMarks);
  let untracked: Answer = 'no';
  let doubtful: Verdict | undefined;
  for (const hook of hooks[packet.direction]) {
    for (const chain of chainsOf(hook, packet, filter)) {
      const situation: Situation = {
        hook: chain.family === 'bridge' ? 'bridge' : hook,
        connection: statesAt(hook, chain.priority, untracked, packet),
        maybeMarked,
      };
      const elements = (name: string): readonly unknown[] | undefined =>
        elementsOf(`${chain.name.split(' ').slice(0, 2).join(' ')} ${name}`);
      const walked = walk(chain.name, rules, { packet, situation, elementsOf: elements });
      if (walked.untracked !== 'no' && untracked !== 'yes') untracked = walked.untracked;
      const verdict = chainVerdict(chain, walked, filter);
      if (verdict.kind === 'dropped') return verdict;
      if (verdict.kind !== 'unclear') continue;
      if (doubtful === undefined || verdict.otherwise === 'drop') doubtful = verdict;
    }
  }
  return doubtful ?? { kind: 'passes' };
}

function chainVerdict(chain: NftChain, walked: Walked, filter: Filter): Verdict {
  const policy = chain.policy === 'drop' ? 'drop' : 'accept';
  const final = (ending: Ending): typeof policy => (ending === 'end' ? policy : ending);
  const endings = new Set([...walked.endings].map(final));
  if (!endings.has('drop')) return { kind: 'passes' };
  const rules = walked.doubts
    .filter(({ endings: open }) => {
      const { otherwise } = walked;
      return otherwise === undefined || [...open].some((one) => final(one) !== final(otherwise));
    })
    .map(({ rule }) => rule);
  if (!endings.has('accept') && reaches(chain, filter)) return { kind: 'dropped', chain };
  const { otherwise } = walked;
  return {
    kind: 'unclear',
    chain,
    rules: [...new Set(rules)],
    otherwise: otherwise === undefined ? undefined : final(otherwise),
  };
}

/** Whether the packet meets the chain for sure: of some, nft does not say the device. */
function reaches(chain: NftChain, { bridges, listing }: Filter): boolean {
  if (chain.family === 'bridge') return bridges !== undefined;
  return !isOfDevice(chain) || devicesOf(chain, listing).length > 0;
}

function isOfDevice({ family, hook }: NftChain): boolean {
  return family === 'netdev' || hook === 'ingress' || hook === 'egress';
}

function devicesOf({ name, devices }: NftChain, listing: Listing): readonly string[] {
  return devices.length > 0 ? devices : (listing.devices.get(name) ?? []);
}

/** Base chains that the packet meets at a hook, in order. */
function chainsOf(hook: string, packet: Packet, filter: Filter): readonly NftChain[] {
  return filter.ruleset.chains
    .filter((chain) => chain.hook === hook && meets(chain, packet, filter))
    .sort((a, b) => a.priority - b.priority);
}

function meets(chain: NftChain, packet: Packet, { bridges, listing }: Filter): boolean {
  const { family } = chain;
  if (isOfDevice(chain)) {
    const devices = devicesOf(chain, listing);
    if (devices.length > 0 && !devices.includes(packet.interfaceName)) return false;
    return family === 'netdev' || family === 'inet';
  }
  if (family === 'bridge') return bridges?.has(packet.interfaceName) ?? true;
  return family === 'inet' || family === (packet.family === 4 ? 'ip' : 'ip6');
}

function statesAt(
  hook: string,
  priority: number,
  untracked: Answer,
  packet: Packet,
): readonly ConnectionState[] {
  if (untracked === 'yes') return ['untracked'];
  const isEarly =
    hook === 'ingress' || (['prerouting', 'output'].includes(hook) && priority <= trackingPriority);
  const usual: ConnectionState = isEarly ? 'invalid' : packet.connection;
  return untracked === 'maybe' ? [usual, 'untracked'] : [usual];
}

function indexed({ ruleset, listing }: Filter): Rules {
  const byChain = new Map<string, NftRule[]>();
  for (const rule of ruleset.rules) {
    const list = byChain.get(rule.chain);
    if (list === undefined) byChain.set(rule.chain, [rule]);
    else list.push(rule);
  }
  return {
    of: (chain) => byChain.get(chain) ?? [],
    walked: new WeakMap(),
    textOf: (rule) => ruleText(rule, listing),
  };
}

/** As nft lists the rule. */
export function ruleText({ chain, handle }: NftRule, { rules }: Listing): string | undefined {
  return rules.get(`${chain.split(' ').slice(0, 2).join(' ')} ${handle}`);
}

function setsOf({ sets }: NftRuleset): (name: string) => readonly unknown[] | undefined {
  const byName = new Map(sets.map((set) => [set.name, set.elements]));
  return (name) => byName.get(name);
}

/** Packets come without a mark; only rules give them one. */
function setsMarks({ expressions }: NftRule): boolean {
  return objectsOf(expressions).some((one) => {
    const key = fieldsOf(fieldsOf(one['mangle'])?.['key']);
    const isMark = [key?.['meta'], key?.['ct']].some((part) => fieldsOf(part)?.['key'] === 'mark');
    return isMark || ['MARK', 'CONNMARK'].includes(textOf(fieldsOf(one['xt'])?.['name']));
  });
}
