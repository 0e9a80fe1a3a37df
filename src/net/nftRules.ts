/**
 * `nft -j list ruleset` as far as doctor reads it: base chains with their policy, and rules reduced to what they match
 * of a packet and what they decide. A match that is not understood is kept as «unknown», never as «does not match».
 */

export type Verdict = 'accept' | 'drop' | 'jump' | 'return' | 'other';

export interface NftRule {
  /** `family table chain`. */
  readonly chain: string;
  readonly verdict: Verdict;
  /** Where a jump or goto leads, as `family table chain`. */
  readonly target: string | undefined;
  /** Each must hold; `unknown` ones may. */
  readonly matches: readonly NftMatch[];
  readonly usesConntrack: boolean;
  readonly isMasquerade: boolean;
  /** Address of `snat to`. */
  readonly snatTo: string | undefined;
  readonly isDestinationNat: boolean;
  readonly outputInterface: string | undefined;
}

export interface NftMatch {
  readonly field:
    | 'protocol'
    | 'destinationPort'
    | 'destination'
    | 'inputInterface'
    | 'outputInterface'
    | 'ctState'
    | 'unknown';
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

export interface NftChain {
  readonly name: string;
  readonly family: string;
  readonly hook: string;
  readonly type: string;
  readonly policy: string;
}

export interface NftRuleset {
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
}

type Fields = Readonly<Record<string, unknown>>;

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
    rules.flatMap(({ snatTo, isDestinationNat, matches }) => [
      ...(snatTo === undefined ? [] : [snatTo]),
      ...matches.flatMap(({ field, isNegated, values }) =>
        isDestinationNat && field === 'destination' && !isNegated ? values : [],
      ),
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
  };
}

function chainOf(chain: Fields | undefined): NftChain[] {
  if (chain === undefined || typeof chain['hook'] !== 'string') return [];
  const { family, table, name, hook, type, policy } = chain;
  return [
    {
      name: `${text(family)} ${text(table)} ${text(name)}`,
      family: text(family),
      hook,
      type: text(type),
      policy: text(policy, 'accept'),
    },
  ];
}

function ruleOf(rule: Fields | undefined): NftRule[] {
  if (rule === undefined || !Array.isArray(rule['expr'])) return [];
  const expressions = objectsOf(rule['expr']);
  const place = `${text(rule['family'])} ${text(rule['table'])}`;
  const has = (name: string): boolean => expressions.some((one) => name in one);
  const extensions = objectsOf(expressions.map((one) => one['xt']));
  const xt = extensions.map((one) => text(one['name']));
  const matches = expressions.flatMap(matchOf);
  const output = expressions.flatMap((one) => {
    const match = fieldsOf(one['match']);
    const meta = fieldsOf(fieldsOf(match?.['left'])?.['meta'])?.['key'];
    return meta === 'oifname' || meta === 'oif' ? valuesOf(match?.['right']) : [];
  });
  const nat = ['masquerade', 'snat', 'dnat', 'redirect'].some(has);
  return casesOf(expressions).map(({ verdict, target, match }) => {
    const all = [...matches, ...(match === undefined ? [] : [match])];
    return {
      chain: `${place} ${text(rule['chain'])}`,
      verdict,
      target: target === undefined ? undefined : `${place} ${target}`,
      matches: [...all, ...hiddenMatches(xt, verdict)],
      usesConntrack:
        nat ||
        all.some((one) => one.field === 'ctState') ||
        xt.some((name) => [...stateExtensions, ...natTargets].includes(name)),
      isMasquerade: has('masquerade') || xt.includes('MASQUERADE'),
      snatTo: snatAddress(expressions),
      isDestinationNat: has('dnat') || has('redirect'),
      outputInterface: output[0],
    };
  });
}

interface Case {
  readonly verdict: Verdict;
  readonly target?: string;
  /** What a verdict map asks of the packet for this verdict. */
  readonly match?: NftMatch;
}

/** A rule decides once; a verdict map (`ct state vmap { invalid : drop }`) once for each of its entries. */
function casesOf(expressions: readonly Fields[]): readonly Case[] {
  const map = objectsOf(expressions.map((one) => one['vmap']))[0];
  if (map === undefined) return [verdictOf(expressions)];
  const field = fieldName(fieldsOf(map['key']) ?? {});
  const entries = fieldsOf(map['data'])?.['set'];
  // A named map can hold anything.
  if (!Array.isArray(entries)) return [{ verdict: 'accept', match: unknownMatch }];
  return entries.flatMap((entry: unknown): Case[] => {
    if (!Array.isArray(entry)) return [];
    const [key, decision] = entry as readonly unknown[];
    const values = valuesOf(key);
    const isKnown = field !== undefined && values.length > 0;
    const match = isKnown ? { field, values, isNegated: false } : unknownMatch;
    return [{ ...verdictOf(objectsOf([decision])), match }];
  });
}

const stateExtensions: readonly string[] = ['conntrack', 'state'];
const natTargets: readonly string[] = ['MASQUERADE', 'SNAT', 'DNAT', 'REDIRECT'];

/**
 * iptables extensions: nft names them and hides what they match. A rule by connection state that accepts is taken for
 * the usual ESTABLISHED,RELATED, one that drops for INVALID; any other extension may match or not.
 */
function hiddenMatches(extensions: readonly string[], verdict: Verdict): readonly NftMatch[] {
  return extensions
    .filter((name) => !natTargets.includes(name))
    .map((name): NftMatch => {
      if (!stateExtensions.includes(name)) return unknownMatch;
      if (verdict === 'accept') {
        return { field: 'ctState', values: ['established', 'related'], isNegated: false };
      }
      return verdict === 'drop'
        ? { field: 'ctState', values: ['invalid'], isNegated: false }
        : unknownMatch;
    });
}

const unknownMatch: NftMatch = { field: 'unknown', values: [], isNegated: false };

function verdictOf(expressions: readonly Fields[]): { verdict: Verdict; target?: string } {
  for (const one of expressions) {
    if ('accept' in one) return { verdict: 'accept' };
    if ('drop' in one || 'reject' in one) return { verdict: 'drop' };
    if ('return' in one) return { verdict: 'return' };
    const jump = fieldsOf(one['jump'] ?? one['goto']);
    if (jump !== undefined) return { verdict: 'jump', target: text(jump['target']) };
  }
  return { verdict: 'other' };
}

function matchOf(expression: Fields): NftMatch[] {
  const match = fieldsOf(expression['match']);
  if (match === undefined) {
    return 'lookup' in expression || 'limit' in expression ? [unknownMatch] : [];
  }
  const left = fieldsOf(match['left']) ?? {};
  const values = valuesOf(match['right']);
  const field = fieldName(left);
  const isNegated = match['op'] === '!=';
  const isPlain = ['==', '!=', 'in'].includes(text(match['op'])) && values.length > 0;
  return [
    ...impliedProtocol(left),
    field === undefined || !isPlain ? unknownMatch : { field, values, isNegated },
  ];
}

/** `udp dport 53` is about UDP alone; the JSON form does not say so by a match of its own. */
function impliedProtocol(left: Fields): NftMatch[] {
  const protocol = text(fieldsOf(left['payload'])?.['protocol']);
  return protocol === 'udp' || protocol === 'tcp'
    ? [{ field: 'protocol', values: [protocol], isNegated: false }]
    : [];
}

/** What nft calls the parts of a packet that are understood here. */
const fieldNames: Readonly<Record<string, NftMatch['field']>> = {
  'meta l4proto': 'protocol',
  'meta iifname': 'inputInterface',
  'meta iif': 'inputInterface',
  'meta oifname': 'outputInterface',
  'meta oif': 'outputInterface',
  'ct state': 'ctState',
  'ip protocol': 'protocol',
  'ip6 nexthdr': 'protocol',
  'udp dport': 'destinationPort',
  'tcp dport': 'destinationPort',
  'th dport': 'destinationPort',
  'ip daddr': 'destination',
  'ip6 daddr': 'destination',
};

function fieldName(left: Fields): NftMatch['field'] | undefined {
  const payload = fieldsOf(left['payload']);
  if (payload !== undefined) {
    return fieldNames[`${text(payload['protocol'])} ${text(payload['field'])}`];
  }
  const kind = left['ct'] === undefined ? 'meta' : 'ct';
  return fieldNames[`${kind} ${text(fieldsOf(left[kind])?.['key'])}`];
}

function snatAddress(expressions: readonly Fields[]): string | undefined {
  const snat = objectsOf(expressions.map((one) => one['snat']))[0];
  return typeof snat?.['addr'] === 'string' ? snat['addr'] : undefined;
}

/** Words of a value, a set or a list; empty where it is something else (a range, a named set). */
function valuesOf(right: unknown): readonly string[] {
  if (typeof right === 'string' || typeof right === 'number') return [String(right)];
  const list = Array.isArray(right) ? right : fieldsOf(right)?.['set'];
  if (!Array.isArray(list)) return [];
  const words = list.flatMap((one: unknown) =>
    typeof one === 'string' || typeof one === 'number' ? [String(one)] : [],
  );
  return words.length === list.length ? words : [];
}

function text(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}

function objectsOf(values: readonly unknown[]): readonly Fields[] {
  return values.map(fieldsOf).filter((one) => one !== undefined);
}

function fieldsOf(value: unknown): Fields | undefined {
  // Checked: an object that is not an array has named fields of unknown type.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined;
}
