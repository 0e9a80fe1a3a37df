/**
 * `nft -a list ruleset`: what the JSON form leaves out. The text of each rule as the operator knows
 * it, the devices of netdev chains, and what iptables extensions match (nft translates them where
 * iptables' plugins are installed).
 */
import type { NftFields } from '../../../net/netlink/nftJson.js';

export interface Listing {
  /** By `family table handle`. */
  readonly rules: ReadonlyMap<string, string>;
  /** Devices by `family table chain`. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
}

/** Of a listing with handles; a text that is something else gives nothing. */
export function parseListing(text: string): Listing {
  const rules = new Map<string, string>();
  const devices = new Map<string, readonly string[]>();
  let table = '';
  let chain = '';
  for (const line of text.split('\n')) {
    const opened = /^table (\S+ \S+) \{/.exec(line);
    if (opened !== null) table = opened[1] ?? '';
    const inner = /^\s*chain (\S+) \{/.exec(line);
    if (inner !== null) chain = `${table} ${inner[1] ?? ''}`;
    const hook = /^\s*type \S+ hook \S+ devices? (.*?) priority/.exec(line);
    if (hook !== null) devices.set(chain, wordsOf(hook[1] ?? ''));
    const rule = /^\s*(.*?)\s*# handle (\d+)$/.exec(line);
    if (rule !== null && opened === null && inner === null) {
      rules.set(`${table} ${rule[2] ?? ''}`, tidy(rule[1] ?? ''));
    }
  }
  return { rules, devices };
}

/** `"a"`, `{ "a", "b" }` or `= { a, b }` as names. */
function wordsOf(text: string): readonly string[] {
  return text
    .split(/[\s,{}="]+/)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function tidy(rule: string): string {
  return rule
    .replace(/counter packets \d+ bytes \d+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * The condition of an iptables extension in nft's words; undefined where the text does not have it,
 * `true` where the extension matches everything.
 */
export function translated(
  extension: string,
  text: string | undefined,
): NftFields | true | undefined {
  if (extension === 'comment') return true;
  if (text === undefined) return undefined;
  switch (extension) {
    case 'conntrack':
    case 'state':
      return once(text, /\bct state (!= )?([a-z,]+)/g, { ct: { key: 'state' } }, /\bct /g);
    case 'pkttype':
      return once(text, /\bpkttype (!= )?([a-z]+)/g, { meta: { key: 'pkttype' } });
    case 'addrtype':
      return once(text, /\bfib daddr type (!= )?([a-z]+)/g, destinationType, /\bfib /g);
    case 'multiport':
      return ports(text);
    default:
      return undefined;
  }
}

const destinationType = { fib: { result: 'type', flags: ['daddr'] } };

/** The only condition of its kind in the text. */
function once(text: string, form: RegExp, left: NftFields, kind = form): NftFields | undefined {
  const found = [...text.matchAll(form)];
  const [only] = found;
  if (only === undefined || found.length !== 1) return undefined;
  if ([...text.matchAll(kind)].length !== 1) return undefined;
  return { op: only[1] === undefined ? '==' : '!=', left, right: (only[2] ?? '').split(',') };
}

function ports(text: string): NftFields | undefined {
  const found = [...text.matchAll(/\b(tcp|udp) (dport|sport) (!= )?(\{[^}]*\}|[\d-]+)/g)];
  const [only] = found;
  if (only === undefined || found.length !== 1) return undefined;
  const right = wordsOf(only[4] ?? '').map((word) => {
    const [first, last] = word.split('-').map(Number);
    return last === undefined ? first : { range: [first, last] };
  });
  return {
    op: only[3] === undefined ? '==' : '!=',
    left: { payload: { protocol: only[1], field: only[2] } },
    right: { set: right },
  };
}
