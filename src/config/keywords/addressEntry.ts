/**
 * An entry of `virtual_ipaddress` and its relatives: `ADDRESS[/length] [option value ...]`
 * (keepalived 2.2.7). The interface may be absent here; the block that holds the entry knows it.
 */
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import { nearestWord } from '../nearest.js';
import type { ItemType } from '../table/wordTypes.js';
import { isInterfaceName } from '../table/scalarTypes.js';
import type { ParseContext } from '../table/row.js';
import type { Token } from '../text/token.js';

export interface AddressEntry {
  readonly address: IpAddress;
  /** As written, or 32 and 128. */
  readonly prefixLength: number;
  readonly interfaceName?: string;
  /** `+` and `-` are worked out: host bits all ones, all zero. */
  readonly broadcast?: IpAddress;
  /** RT_SCOPE_*. */
  readonly scope?: number;
  readonly label?: string;
  readonly peer?: IpAddress;
  /** Seconds; absent is for ever. */
  readonly preferredLifetimeSeconds?: number;
  /** `-nodad`: duplicate address detection is wanted. */
  readonly detectDuplicates: boolean;
  /** IFA_F_* of home, mngtmpaddr, noprefixroute, autojoin. */
  readonly flags: number;
  readonly noTrack: boolean;
}

/** RT_SCOPE_* (linux/rtnetlink.h). */
export const scopes: Readonly<Record<string, number>> = {
  global: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
};

/** IFA_F_MCAUTOJOIN: an address that is a group, which the kernel joins. */
export const autojoin = 0x400;

/** IFA_F_* (linux/if_addr.h). */
const flagBits: Readonly<Record<string, number>> = {
  home: 0x10,
  mngtmpaddr: 0x100,
  noprefixroute: 0x200,
  autojoin,
};

type Draft = { -readonly [K in keyof AddressEntry]: AddressEntry[K] };
type OptionReader = (entry: Draft, value: string) => boolean;
interface AddressOption {
  readonly read: OptionReader;
  readonly expected: string;
  /** Read over with a warning for an IPv6 address, as keepalived does. */
  readonly isForIpv4?: true;
}

/** Options with a value: false where the value is wrong. */
const options: Readonly<Record<string, AddressOption>> = {
  dev: {
    expected: 'an interface name',
    read: (entry, value) => {
      entry.interfaceName = value;
      return isInterfaceName(value);
    },
  },
  brd: { expected: 'an IPv4 address, + or -', read: readBroadcast },
  broadcast: { expected: 'an IPv4 address, + or -', read: readBroadcast },
  scope: {
    expected: 'global, site, link, host, nowhere or 0..255',
    isForIpv4: true,
    read: (entry, value) => {
      const scope = readScope(value);
      if (scope !== undefined) entry.scope = scope;
      return scope !== undefined;
    },
  },
  label: {
    expected: 'a label of at most 15 characters, for an IPv4 address',
    read: (entry, value) => {
      entry.label = value;
      return value.length <= 15 && entry.address.family === 4;
    },
  },
  peer: {
    expected: 'an address of the same family',
    read: (entry, value) => {
      const peer = parseIp(value.replace(/\/\d+$/, ''));
      if (peer !== undefined) entry.peer = peer;
      return peer?.family === entry.address.family;
    },
  },
  preferred_lft: {
    expected: 'seconds, or forever',
    read: (entry, value) => {
      if (value === 'forever') return true;
      entry.preferredLifetimeSeconds = Number(value);
      return /^\d{1,9}$/.test(value);
    },
  },
};

const bareOptions = ['-nodad', ...Object.keys(flagBits), 'no_track'] as const;
const refusedOptions: Readonly<Record<string, string>> = {
  use_vmac: 'an address on a real interface',
  track_group: 'an address without track_group',
};
const optionNames = [...Object.keys(options), ...bareOptions, ...Object.keys(refusedOptions)];

/** Reads a scope's name or number. */
export function readScope(text: string): number | undefined {
  if (Object.hasOwn(scopes, text)) return scopes[text];
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** `ADDRESS[/length]`; the length may be at most 32 or 128. */
export function readPrefix(
  text: string,
): { readonly address: IpAddress; readonly prefixLength: number } | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const longest = address.bytes.length * 8;
  if (lengthText === undefined) return { address, prefixLength: longest };
  const prefixLength = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : -1;
  return prefixLength >= 0 && prefixLength <= longest ? { address, prefixLength } : undefined;
}

export const addressItems: ItemType<AddressEntry> = {
  name: 'ADDRESS[/length] [dev IF] [brd A|+|-] [scope S] [label L] [peer A] [preferred_lft N|forever] [-nodad] [no_track]',
  parse: parseEntry,
  print: printEntry,
};

function parseEntry(words: readonly Token[], context: ParseContext): AddressEntry | undefined {
  const [first] = words;
  const prefix = readPrefix(first?.text ?? '');
  if (first === undefined || prefix === undefined) {
    if (first !== undefined) reportBadAddress(first, context);
    return undefined;
  }
  const entry: Draft = { ...prefix, detectDuplicates: false, flags: 0, noTrack: false };
  let isRight = true;
  for (let i = 1; i < words.length; i++) {
    const name = words[i];
    if (name === undefined) break;
    const consumed = readOption(entry, name, words[i + 1], context);
    if (consumed === 0) {
      isRight = false;
      break;
    }
    i += consumed - 1;
  }
  if (!isRight || !checkBroadcast(entry, first, context)) return undefined;
  return entry.peer === undefined ? entry : withFullLength(entry, first, context);
}

/** Beside a peer the address has no network of its own: keepalived 2.2.7 drops the length. */
function withFullLength(entry: Draft, first: Token, { problems }: ParseContext): AddressEntry {
  const prefixLength = entry.address.bytes.length * 8;
  if (entry.prefixLength !== prefixLength) {
    const message = `the length /${entry.prefixLength} is read over beside a peer, as in keepalived`;
    problems.warning(first.at, 'words-read-over', message, {
      expected: 'an address without a length',
      fix: { kind: 'word', from: first.text, to: formatIp(entry.address) },
    });
  }
  return { ...entry, prefixLength };
}

/** How many words were used; 0 where something is wrong (and reported). */
function readOption(
  entry: Draft,
  name: Token,
  value: Token | undefined,
  { problems, owner }: ParseContext,
): number {
  const option = Object.hasOwn(options, name.text) ? options[name.text] : undefined;
  if (option !== undefined) {
    if (value === undefined) {
      problems.error(name.at, 'missing-value', `'${name.text}' lacks its value`, {
        expected: option.expected,
      });
      return 0;
    }
    if (option.isForIpv4 === true && entry.address.family === 6) {
      const message = `'${name.text}' is read over: an IPv6 address has the ${name.text} that follows from the address`;
      problems.warning(name.at, 'no-effect', message);
      return 2;
    }
    if (option.read(entry, value.text)) return 2;
    const message = `'${value.text}' is not right for '${name.text}'`;
    problems.error(value.at, 'bad-value', message, { expected: option.expected });
    return 2;
  }
  if (readBareOption(entry, name.text)) return 1;
  const alternative = Object.hasOwn(refusedOptions, name.text)
    ? refusedOptions[name.text]
    : undefined;
  if (alternative !== undefined) {
    const message = `'${name.text}' in '${owner}' is not supported`;
    problems.error(name.at, 'not-supported', message, { expected: alternative });
    return 0;
  }
  const nearest = nearestWord(name.text, optionNames);
  problems.error(
    name.at,
    'unknown-keyword',
    `unknown option '${name.text}' in '${owner}'`,
    nearest === undefined ? { expected: `one of ${optionNames.join(', ')}` } : { nearest },
  );
  return 0;
}

function readBareOption(entry: Draft, name: string): boolean {
  if (name === '-nodad') entry.detectDuplicates = true;
  else if (name === 'no_track') entry.noTrack = true;
  else if (Object.hasOwn(flagBits, name)) entry.flags |= flagBits[name] ?? 0;
  else return false;
  return true;
}

function readBroadcast(entry: Draft, value: string): boolean {
  if (entry.address.family !== 4) return false;
  const broadcast = value === '+' || value === '-' ? hostBits(entry, value) : parseIp(value);
  if (broadcast?.family !== 4) return false;
  entry.broadcast = broadcast;
  return true;
}

/** The address with its host bits all ones (`+`) or all zero (`-`). */
function hostBits({ address, prefixLength }: Draft, sign: '+' | '-'): IpAddress | undefined {
  if (prefixLength > 30) return undefined;
  const bytes = address.bytes.map((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefixLength - 8 * i));
    const host = 0xff >> bits;
    return sign === '+' ? byte | host : byte & ~host;
  });
  return { family: 4, bytes };
}

function checkBroadcast(entry: Draft, first: Token, { problems }: ParseContext): boolean {
  if (entry.broadcast === undefined || entry.peer === undefined) return true;
  problems.error(first.at, 'bad-value', 'an address has either a broadcast address or a peer');
  return false;
}

export function reportBadAddress(word: Token, { problems, owner }: ParseContext): void {
  const message = `'${word.text.slice(0, 60)}' is not an address for '${owner}'`;
  const expected = 'ADDRESS or ADDRESS/length, with a length up to 32 (IPv4) or 128 (IPv6)';
  problems.error(word.at, 'bad-address', message, { expected });
}

function printEntry(entry: AddressEntry): readonly string[] {
  const words = [`${formatIp(entry.address)}/${entry.prefixLength}`];
  if (entry.interfaceName !== undefined) words.push('dev', entry.interfaceName);
  if (entry.broadcast !== undefined) words.push('brd', formatIp(entry.broadcast));
  if (entry.peer !== undefined) words.push('peer', formatIp(entry.peer));
  if (entry.scope !== undefined) words.push('scope', String(entry.scope));
  if (entry.label !== undefined) words.push('label', entry.label);
  if (entry.preferredLifetimeSeconds !== undefined) {
    words.push('preferred_lft', String(entry.preferredLifetimeSeconds));
  }
  if (entry.detectDuplicates) words.push('-nodad');
  for (const [name, bit] of Object.entries(flagBits))
    if ((entry.flags & bit) !== 0) words.push(name);
  if (entry.noTrack) words.push('no_track');
  return words;
}
