/** Values that only conntrackd's blocks have: policies, states, log targets. */
import type { AddressPrefix } from '../../sync/settings.js';
import { formatIp } from '../../base/ipAddress.js';
import { nearestWord } from '../nearest.js';
import { readBoolean, reportBadValue, wordType } from '../table/scalarTypes.js';
import { quoteWord } from '../table/printRows.js';
import type { ValueType } from '../table/row.js';
import { readPrefix } from './addressEntry.js';

/** IP protocol numbers by lower-case name (IANA). */
export const protocolNumbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 94,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  l2tp: 115,
  sctp: 132,
  udplite: 136,
};

/** Kernel TCP states (linux/netfilter/nf_conntrack_tcp.h) by conntrackd's names. */
export const tcpStates: Readonly<Record<string, number>> = {
  SYN_SENT: 1,
  SYN_RECV: 2,
  ESTABLISHED: 3,
  FIN_WAIT: 4,
  CLOSE_WAIT: 5,
  LAST_ACK: 6,
  TIME_WAIT: 7,
  CLOSED: 8,
  CLOSE: 8,
  LISTEN: 9,
};

export interface PolicyList {
  readonly policy: 'accept' | 'ignore';
  readonly numbers: readonly number[];
}

const policies = ['Accept', 'Ignore'] as const;

/**
 * `Accept { NAME ... }` or `Ignore { NAME ... }`, names from a table; `ignored` words say nothing.
 */
function policyList(
  name: string,
  table: Readonly<Record<string, number>>,
  normalise: (word: string) => string,
  ignored: readonly string[],
): ValueType<PolicyList> {
  return {
    name: `Accept|Ignore { ${name} ... }`,
    minWords: 1,
    maxWords: 1,
    block: { style: 'word-items' },
    parse: ({ keyword, words: [policy], block }, context) => {
      const wanted = policies.find((candidate) => candidate === policy?.text);
      if (policy === undefined || wanted === undefined) {
        const nearest = nearestWord(policy?.text ?? '', policies);
        reportBadValue(keyword, policy ?? keyword, 'Accept or Ignore', context, nearest);
        return undefined;
      }
      const numbers: number[] = [];
      for (const { keyword: item } of block?.statements ?? []) {
        const key = normalise(item.text);
        if (ignored.includes(item.text)) continue;
        const number = Object.hasOwn(table, key) ? table[key] : readByte(item.text);
        if (number !== undefined) numbers.push(number);
        else {
          const names = Object.keys(table).map((known) => known.toUpperCase());
          const nearest = nearestWord(item.text.toUpperCase(), names);
          reportBadValue(keyword, item, `one of ${names.join(', ')}`, context, nearest);
        }
      }
      return { policy: wanted === 'Accept' ? 'accept' : 'ignore', numbers };
    },
    print: ({ policy, numbers }) => ({
      words: [policy === 'accept' ? 'Accept' : 'Ignore'],
      block: numbers.map((number) => ({ words: [nameOf(table, number)] })),
    }),
  };
}

function readByte(text: string): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

function nameOf(table: Readonly<Record<string, number>>, number: number): string {
  const name = Object.entries(table).find(([, value]) => value === number)?.[0];
  return name === undefined ? String(number) : name.toUpperCase();
}

export const protocolPolicy = policyList(
  'PROTOCOL',
  protocolNumbers,
  (text) => text.toLowerCase(),
  [],
);

/** `State Accept { ESTABLISHED CLOSED for TCP }`. */
export const statePolicy = policyList('STATE', tcpStates, (text) => text, ['for', 'TCP']);

/** An address or network of one family. */
export function prefixOfFamily(family: 4 | 6): ValueType<AddressPrefix> {
  return wordType(
    `IPv${family} address[/length]`,
    `an IPv${family} address, or a network with prefix length`,
    (text) => {
      const prefix = readPrefix(text);
      return prefix?.address.family === family ? prefix : undefined;
    },
    ({ address, prefixLength }) =>
      prefixLength === address.bytes.length * 8
        ? formatIp(address)
        : `${formatIp(address)}/${prefixLength}`,
  );
}

/** `on`, `off` or a path: absent text is off, '' is on. */
export const logTarget: ValueType<{ readonly path: string | undefined; readonly isOn: boolean }> =
  wordType(
    'on|off|path',
    'on, off or an absolute path',
    (text) => {
      const isOn = readBoolean(text);
      if (isOn !== undefined) return { path: undefined, isOn };
      return text.startsWith('/') ? { path: text, isOn: true } : undefined;
    },
    ({ path, isOn }) => (path === undefined ? (isOn ? 'on' : 'off') : quoteWord(path)),
  );

const facilities = ['daemon', ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `local${n}`)];

/** `on` (daemon), `off` (empty text) or a facility. */
export const syslogTarget: ValueType<string> = wordType(
  'on|off|facility',
  `on, off, ${facilities.join(', ')}`,
  (text) => {
    const isOn = readBoolean(text);
    if (isOn !== undefined) return isOn ? 'daemon' : '';
    return facilities.find((facility) => facility === text.toLowerCase());
  },
  (value) => (value === '' ? 'off' : value),
);

/** `on` (30), `off` (-1) or seconds; 0 means 30. */
export const overrunResync: ValueType<number> = wordType(
  'on|off|seconds',
  'on, off or seconds 0..86400',
  (text) => {
    const isOn = readBoolean(text);
    if (isOn !== undefined) return isOn ? 30 : -1;
    const value = /^\d{1,5}$/.test(text) ? Number(text) : undefined;
    if (value === undefined || value > 86_400) return undefined;
    return value === 0 ? 30 : value;
  },
  (value) => (value < 0 ? 'off' : String(value)),
);

/** `on`, `off`, or `{ HELPER ... }`. */
export const expectationSync: ValueType<'off' | 'all' | readonly string[]> = {
  name: 'on|off|{ HELPER ... }',
  minWords: 0,
  maxWords: 1,
  block: { style: 'word-items', isOptional: true },
  parse: ({ keyword, words: [word], block }, context) => {
    if (block !== undefined && word === undefined) {
      return block.statements.map((statement) => statement.keyword.text);
    }
    const isOn = readBoolean(word?.text ?? '');
    if (isOn === undefined || block !== undefined) {
      reportBadValue(keyword, word ?? keyword, 'on, off or { helper names }', context);
      return undefined;
    }
    return isOn ? 'all' : 'off';
  },
  print: (value) =>
    typeof value === 'string'
      ? { words: [value === 'all' ? 'on' : 'off'] }
      : { words: [], block: value.map((name) => ({ words: [quoteWord(name)] })) },
};
