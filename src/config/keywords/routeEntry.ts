/** An entry of `virtual_routes` and `static_routes`, in the words of ip-route(8). */
import { formatIp, parseIp } from '../../base/ipAddress.js';
import type { RouteSpec } from '../../net/ports.js';
import type { ItemType } from '../table/wordTypes.js';
import { isInterfaceName } from '../table/scalarTypes.js';
import { quoteWord } from '../table/printRows.js';
import { readPrefix, readScope } from './addressEntry.js';
import { readOptions, type OptionTable, type OptionWord } from './optionWords.js';

export interface RouteEntry {
  readonly spec: RouteSpec;
  readonly noTrack: boolean;
  /** The words as written. */
  readonly words: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Draft {
  route: Mutable<RouteSpec>;
  noTrack: boolean;
  hasDestination: boolean;
}

/** RTN_* (linux/rtnetlink.h). */
const routeTypes: Readonly<Record<string, number>> = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
};

/** RT_TABLE_* that every system knows by name. */
const tables: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };

/** A routing table's number or well-known name. */
export function readTable(text: string): number | undefined {
  if (Object.hasOwn(tables, text)) return tables[text];
  return readNumber(text, 0xffff_ffff);
}

/** RTPROT_* (linux/rtnetlink.h), by the names of iproute2. */
const protocols: Readonly<Record<string, number>> = {
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  ra: 9,
  zebra: 11,
  bird: 12,
  dhcp: 16,
  keepalived: 18,
  babel: 42,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
};

function readProtocol(text: string): number | undefined {
  return Object.hasOwn(protocols, text) ? protocols[text] : readNumber(text, 255);
}

export function readNumber(text: string, maximum: number): number | undefined {
  const value = /^(\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value <= maximum ? value : undefined;
}

function number(
  field: 'metric' | 'protocol' | 'tos' | 'table' | 'scope',
  expected: string,
  read: (text: string) => number | undefined,
  aliases: readonly string[] = [],
): OptionWord<Draft> {
  return {
    takesValue: true,
    expected,
    aliases,
    read: ({ route }, value) => {
      const found = read(value);
      if (found !== undefined) route[field] = found;
      return found !== undefined;
    },
  };
}

const table: OptionTable<Draft> = {
  what: 'route',
  options: {
    to: {
      takesValue: true,
      expected: 'an address, an address/length, or default',
      read: readDestination,
    },
    via: {
      takesValue: true,
      aliases: ['gw'],
      prefixes: ['inet', 'inet6'],
      expected: 'an address',
      read: ({ route }, value) => {
        const gateway = parseIp(value);
        if (gateway !== undefined) route.gateway = gateway;
        return gateway !== undefined;
      },
    },
    dev: {
      takesValue: true,
      aliases: ['oif'],
      expected: 'an interface name',
      read: ({ route }, value) => {
        route.interfaceName = value;
        return isInterfaceName(value);
      },
    },
    src: {
      takesValue: true,
      expected: 'an address',
      read: ({ route }, value) => {
        const source = parseIp(value);
        if (source !== undefined) route.source = source;
        return source !== undefined;
      },
    },
    metric: number('metric', 'a number', (text) => readNumber(text, 0xffff_ffff), [
      'priority',
      'preference',
    ]),
    table: number('table', 'a table number, main, default or local', readTable),
    scope: number('scope', 'global, site, link, host, nowhere or 0..255', readScope),
    protocol: number('protocol', '0..255, or a name of rtnetlink(7)', readProtocol),
    mtu: {
      takesValue: true,
      prefixes: ['lock'],
      expected: '1..65535',
      read: ({ route }, value, prefix) => {
        const mtu = readNumber(value, 65_535);
        if (mtu !== undefined) route.mtu = mtu;
        if (prefix !== undefined) route.mtuIsLocked = true;
        return mtu !== undefined;
      },
    },
    tos: number('tos', '0..255', (text) => readNumber(text, 255), ['dsfield']),
    onlink: { takesValue: false, read: ({ route }) => (route.onlink = true) },
    no_track: { takesValue: false, read: (draft) => (draft.noTrack = true) },
  },
  refused: [
    ...['add', 'advmss', 'append', 'as', 'congctl', 'cwnd', 'ecn', 'encap', 'expires', 'features'],
    // The source of packets for which an IPv6 route is (RTA_SRC), not the source address it sets.
    'from',
    ...[
      'fastopen_no_cookie',
      'flags',
      'hoplimit',
      'id',
      'ila',
      'inet',
      'inet6',
      'initcwnd',
      'lock',
    ],
    ...['initrwnd', 'ip', 'ip6', 'mpls', 'nexthop', 'or', 'pref', 'prepend', 'quickack', 'realms'],
    ...['reordering', 'rto_min', 'rtt', 'rttvar', 'ssthresh', 'tc', 'track_group', 'ttl', 'vrf'],
    ...['ttl-propagate', 'weight', 'window', 'nat', 'xresolve'],
  ],
  bareWord: (draft, word) => {
    if (Object.hasOwn(routeTypes, word)) {
      draft.route.type = routeTypes[word] ?? 1;
      return true;
    }
    return !draft.hasDestination && readDestination(draft, word);
  },
};

function readDestination(draft: Draft, text: string): boolean {
  draft.hasDestination = true;
  if (text === 'default' || text === 'default6') {
    draft.route.family = text === 'default' ? 4 : 6;
    return true;
  }
  const prefix = readPrefix(text);
  if (prefix === undefined) return false;
  const { address, prefixLength } = prefix;
  draft.route.family = address.family;
  draft.route.prefixLength = prefixLength;
  // 0.0.0.0/0 and ::/0 are the default route.
  if (prefixLength > 0) draft.route.destination = address;
  return true;
}

export const routeItems: ItemType<RouteEntry> = {
  name: '[type] DESTINATION[/length] [via A] [dev IF] [src A] [metric N] [table T] [scope S] [mtu [lock] N] [onlink] [no_track]',
  refusedWords: table.refused,
  parse: (words, context) => {
    const draft: Draft = {
      route: { family: 4, prefixLength: 0 },
      noTrack: false,
      hasDestination: false,
    };
    if (!readOptions(draft, words, table, context)) return undefined;
    const [first] = words;
    if (!draft.hasDestination && first !== undefined) {
      const message = `a route of '${context.owner}' lacks its destination`;
      context.problems.error(first.at, 'missing-value', message, {
        expected: 'an address with prefix, or default',
      });
      return undefined;
    }
    const { route, noTrack } = draft;
    const family = route.gateway?.family ?? route.family;
    const { destination } = route;
    if (destination !== undefined && family !== route.family && first !== undefined) {
      const message = `destination and gateway of this route are of different families`;
      context.problems.error(first.at, 'bad-address', message, {
        expected: `a gateway of the family of ${formatIp(destination)}`,
      });
      return undefined;
    }
    return { spec: { ...route, family }, noTrack, words: words.map((w) => w.text) };
  },
  print: ({ words }) => words.map(quoteWord),
};
