/** Values of one word: numbers, switches, names, addresses. */
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import { nearestWord } from '../nearest.js';
import type { Token } from '../text/token.js';
import { shorten } from './parseRows.js';
import { quoteWord } from './printRows.js';
import type { ParseContext, ValueType } from './row.js';

/**
 * A type of one word: `read` gives undefined where the word is wrong, `expected` says what is
 * right.
 */
export function wordType<T>(
  name: string,
  expected: string,
  read: (word: string) => T | undefined,
  show: (value: T) => string = (value) => quoteWord(String(value)),
): ValueType<T> {
  return {
    name,
    minWords: 1,
    maxWords: 1,
    parse: ({ keyword, words }, context) => {
      const word = words[0];
      const value = word === undefined ? undefined : read(word.text);
      if (value === undefined) reportBadValue(keyword, word ?? keyword, expected, context);
      return value;
    },
    print: (value) => ({ words: [show(value)] }),
  };
}

export function reportBadValue(
  keyword: Token,
  word: Token,
  expected: string,
  { problems }: ParseContext,
  nearest?: string,
): void {
  const message = `'${shorten(word.text)}' is not right for '${keyword.text}'`;
  const details = nearest === undefined ? { expected } : { expected, nearest };
  problems.error(word.at, 'bad-value', message, details);
}

/** A whole number within [minimum, maximum]. */
export function integer(minimum: number, maximum: number): ValueType<number> {
  const range = `${minimum}..${maximum}`;
  return wordType(`whole number ${range}`, `a whole number ${range}`, (word) => {
    const value = /^[+-]?\d{1,15}$/.test(word) ? Number(word) : undefined;
    return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
  });
}

/** A decimal number within [minimum, maximum], in the unit that the row names. */
export function decimal(minimum: number, maximum: number): ValueType<number> {
  const range = `${minimum}..${maximum}`;
  return wordType(`number ${range}`, `a number ${range}`, (word) => {
    // `.1` and `1.` are numbers to keepalived too.
    const value = /^(\d{1,12}(\.\d{0,9})?|\.\d{1,9})$/.test(word) ? Number(word) : undefined;
    return value !== undefined && value >= minimum && value <= maximum ? value : undefined;
  });
}

const trueWords = new Set(['on', 'true', 'yes']);
const falseWords = new Set(['off', 'false', 'no']);

/** on/off, true/false, yes/no in any case. */
export function readBoolean(word: string): boolean | undefined {
  const lower = word.toLowerCase();
  if (trueWords.has(lower)) return true;
  return falseWords.has(lower) ? false : undefined;
}

/** A switch whose word may be left out (keepalived: the keyword alone means on). */
export const flag: ValueType<boolean> = {
  name: 'on|off (alone: on)',
  minWords: 0,
  maxWords: 1,
  parse: ({ keyword, words }, context) => {
    const word = words[0];
    if (word === undefined) return true;
    const value = readBoolean(word.text);
    if (value === undefined) reportBadValue(keyword, word, 'on, off or nothing', context);
    return value;
  },
  print: (value) => ({ words: value ? [] : ['off'] }),
};

/** A keyword that says all by itself. */
export const bare: ValueType<boolean> = {
  name: '(alone)',
  minWords: 0,
  maxWords: 0,
  parse: () => true,
  print: () => ({ words: [] }),
};

/** A switch with its word (conntrackd). */
export const onOff: ValueType<boolean> = wordType('on|off', 'on or off', readBoolean, (value) =>
  value ? 'on' : 'off',
);

/** One of a few words; `normalise` makes spellings equal before they are compared. */
export function choice<const C extends string>(
  choices: readonly C[],
  normalise: (word: string) => string = (word) => word,
): ValueType<C> {
  const expected = `one of ${choices.join(', ')}`;
  return {
    name: choices.join('|'),
    minWords: 1,
    maxWords: 1,
    parse: ({ keyword, words }, context) => {
      const word = words[0];
      const wanted = normalise(word?.text ?? '');
      const value = choices.find((candidate) => candidate === wanted);
      if (value === undefined && word !== undefined) {
        reportBadValue(keyword, word, expected, context, nearestWord(word.text, choices));
      }
      return value;
    },
    print: (value) => ({ words: [value] }),
  };
}

/** Any word. */
export const word: ValueType<string> = wordType('word', 'a word', (text) =>
  text === '' ? undefined : text,
);

/** An absolute path. */
export const path: ValueType<string> = wordType('path', 'an absolute path', (text) =>
  text.startsWith('/') ? text : undefined,
);

/** A network interface: at most 15 characters, none of them a slash or blank (dev_valid_name). */
export const interfaceName: ValueType<string> = wordType(
  'interface',
  'an interface name of at most 15 characters',
  (text) => (isInterfaceName(text) ? text : undefined),
);

export function isInterfaceName(text: string): boolean {
  return /^[^\s/:]{1,15}$/.test(text) && text !== '.' && text !== '..';
}

/** An IPv4 or IPv6 address without a prefix length. */
export const ipAddress: ValueType<IpAddress> = wordType(
  'address',
  'an IPv4 or IPv6 address',
  parseIp,
  formatIp,
);

/** The same, or with a prefix length, which keepalived reads over. */
export const ipAddressOrPrefix: ValueType<IpAddress> = wordType(
  'address',
  'an IPv4 or IPv6 address',
  readHostAddress,
  formatIp,
);

/** The address of `ADDRESS` or `ADDRESS/length`. */
export function readHostAddress(text: string): IpAddress | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  if (lengthText === undefined) return address;
  const isLength = /^\d{1,3}$/.test(lengthText) && Number(lengthText) <= address.bytes.length * 8;
  return isLength ? address : undefined;
}

export const ipv4Address: ValueType<IpAddress> = ofFamily(4);
export const ipv6Address: ValueType<IpAddress> = ofFamily(6);

function ofFamily(family: 4 | 6): ValueType<IpAddress> {
  const read = (text: string): IpAddress | undefined => {
    const address = parseIp(text);
    return address?.family === family ? address : undefined;
  };
  return wordType(`IPv${family} address`, `an IPv${family} address`, read, formatIp);
}

/** A TCP or UDP port. */
export const port: ValueType<number> = integer(1, 65_535);

/** Whatever stands there: for keywords that have no effect or are refused. */
export const anything: ValueType<true> = {
  name: 'anything',
  minWords: 0,
  maxWords: Number.POSITIVE_INFINITY,
  block: { style: 'opaque', isOptional: true },
  parse: () => true,
  print: () => ({ words: [] }),
};
