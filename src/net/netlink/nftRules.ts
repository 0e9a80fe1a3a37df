/**
 * `nft -j list ruleset` taken apart: base chains with hook, priority and policy, sets and maps with
 * their elements, and rules with their expressions in order. What NAT does is read off here; what a
 * rule does to one packet, by doctor.
 */
import { fieldsOf, listOf, objectsOf, textOf, type NftFields } from './nftJson.js';

export interface NftRule {
  /** `family table chain`. */
  readonly chain: string;
  /** Unique in its table; 0 where nft did not say. */
  readonly handle: number;
  /** Matches and statements, in order. */
  readonly expressions: readonly NftFields[];
  readonly usesConntrack: boolean;
  readonly isMasquerade: boolean;
  /** Address of `snat to`. */
  readonly snatTo: string | undefined;
  readonly isDestinationNat: boolean;
  /** Destinations that the rule asks for. */
  readonly destinations: readonly string[];
  readonly outputInterface: string | undefined;
}

/** A base chain. */
export interface NftChain {
  /** `family table chain`. */
  readonly name: string;
  readonly family: string;
  readonly hook: string;
  readonly type: string;
  readonly policy: string;
  readonly priority: number;
  /** Of a netdev or ingress chain; empty where nft did not say (1.0.6 does not). */
  readonly devices: readonly string[];
}

/** A named set or map. */
export interface NftSet {
  /** `family table set`. */
  readonly name: string;
  readonly elements: readonly unknown[];
}

export interface NftRuleset {
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
  readonly sets: readonly NftSet[];
}

/** A NAT rule whose address stays on the node when the role moves. */
export interface StayingNat {
  readonly kind: 'masquerade' | 'snat';
  readonly outputInterface: string | undefined;
  /** Of `snat to`. */
  readonly address: string | undefined;
}

/** NAT to the interface's own address, or to one that is not among `moving`. */
export function natThatStays(
  rules: readonly NftRule[],
  moving: ReadonlySet<string>,
): readonly StayingNat[] {
  return rules.flatMap((rule): StayingNat[] => {
    const { outputInterface, snatTo } = rule;
    if (rule.isMasquerade) return [{ kind: 'masquerade', outputInterface, address: undefined }];
    if (snatTo === undefined || moving.size === 0 || moving.has(snatTo)) return [];
    return [{ kind: 'snat', outputInterface, address: snatTo }];
  });
}

/** Addresses that the rules translate to, or for which they send packets elsewhere. */
export function translatedAddresses(rules: readonly NftRule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ snatTo, isDestinationNat, destinations }) => [
      ...(snatTo === undefined ? [] : [snatTo]),
      ...(isDestinationNat ? destinations : []),
    ]),
  );
}

/** undefined where the text is not nft's JSON. */
export function parseNftRuleset(json: string): NftRuleset | undefined {
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    return undefined;
  }
  const items = fieldsOf(root)?.['nftables'];
  if (!Array.isArray(items)) return undefined;
  const objects = objectsOf(items);
  return {
    chains: objects.flatMap((object) => chainOf(fieldsOf(object['chain']))),
    rules: objects.flatMap((object) => ruleOf(fieldsOf(object['rule']))),
    sets: objects.flatMap((object) => setOf(fieldsOf(object['set'] ?? object['map']))),
  };
}

/** `family table` of an object and its name. */
function placeOf(object: NftFields, name: unknown): string {
  return `${textOf(object['family'])} ${textOf(object['table'])} ${textOf(name)}`;
}

function chainOf(chain: NftFields | undefined): NftChain[] {
  if (chain === undefined || typeof chain['hook'] !== 'string') return [];
  const { family, name, hook, type, policy, prio, dev } = chain;
  return [
    {
      name: placeOf(chain, name),
      family: textOf(family),
      hook,
      type: textOf(type),
      policy: textOf(policy, 'accept'),
      priority: typeof prio === 'number' ? prio : 0,
      devices: listOf(dev).map((one) => textOf(one)),
    },
  ];
}

function setOf(set: NftFields | undefined): NftSet[] {
  if (set === undefined) return [];
  return [{ name: placeOf(set, set['name']), elements: listOf(set['elem']) }];
}

function ruleOf(rule: NftFields | undefined): NftRule[] {
  if (rule === undefined || !Array.isArray(rule['expr'])) return [];
  const expressions = objectsOf(rule['expr']);
  const has = (name: string): boolean => expressions.some((one) => name in one);
  const xt = objectsOf(expressions.map((one) => one['xt'])).map((one) => textOf(one['name']));
  const matches = objectsOf(expressions.map((one) => one['match']));
  const { handle } = rule;
  return [
    {
      chain: placeOf(rule, rule['chain']),
      handle: typeof handle === 'number' ? handle : 0,
      expressions,
      usesConntrack:
        natStatements.some(has) ||
        matches.some((one) => fieldsOf(one['left'])?.['ct'] !== undefined) ||
        objectsOf(expressions.map((one) => one['vmap'])).some(
          (one) => fieldsOf(one['key'])?.['ct'] !== undefined,
        ) ||
        xt.some((name) => [...stateExtensions, ...natTargets].includes(name)),
      isMasquerade: has('masquerade') || xt.includes('MASQUERADE'),
      snatTo: snatAddress(expressions),
      isDestinationNat: has('dnat') || has('redirect'),
      destinations: destinationsOf(matches),
      outputInterface: outputOf(matches),
    },
  ];
}

const natStatements: readonly string[] = ['masquerade', 'snat', 'dnat', 'redirect'];
const stateExtensions: readonly string[] = ['conntrack', 'state'];
const natTargets: readonly string[] = ['MASQUERADE', 'SNAT', 'DNAT', 'REDIRECT'];

function snatAddress(expressions: readonly NftFields[]): string | undefined {
  const snat = objectsOf(expressions.map((one) => one['snat']))[0];
  return typeof snat?.['addr'] === 'string' ? snat['addr'] : undefined;
}

function outputOf(matches: readonly NftFields[]): string | undefined {
  return matches.flatMap((match) => {
    const key = fieldsOf(fieldsOf(match['left'])?.['meta'])?.['key'];
    return key === 'oifname' || key === 'oif' ? wordsOf(match['right']) : [];
  })[0];
}

function destinationsOf(matches: readonly NftFields[]): readonly string[] {
  return matches.flatMap((match) => {
    const payload = fieldsOf(fieldsOf(match['left'])?.['payload']);
    return payload?.['field'] === 'daddr' && match['op'] !== '!=' ? wordsOf(match['right']) : [];
  });
}

/** Words of a value, a set or a list; empty where it is something else (a range, a prefix). */
function wordsOf(right: unknown): readonly string[] {
  const list = listOf(right);
  const words = list.map((one) => textOf(one)).filter((word) => word !== '');
  return words.length === list.length ? words : [];
}
