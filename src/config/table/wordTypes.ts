/** Values of several words, lists and blocks. */
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { Token } from '../text/token.js';
import type { Statement } from '../tree.js';
import { parseRows } from './parseRows.js';
import { printRows, quoteAlways, quoteWord } from './printRows.js';
import type { BlockStyle } from '../tree.js';
import type { BlockValue, Located, ParseContext, Rows, ValueType } from './row.js';
import { joinScriptWords, splitScriptWords } from './scriptWords.js';

/** A script with the user and group it runs as. */
export interface ScriptLine {
  readonly words: readonly string[];
  readonly user?: string;
  readonly group?: string;
}

/** `"command arg arg" [user [group]]`: arguments belong inside the quotes. */
export const notifyScript: ValueType<ScriptLine> = {
  name: '"command arguments" [user [group]]',
  minWords: 1,
  maxWords: Number.POSITIVE_INFINITY,
  parse: (statement, context) => {
    const { command, rest } = commandOf(statement);
    const [user, group, extra] = rest;
    if (command === undefined) return undefined;
    const isAmbiguous =
      !command.isQuoted && user !== undefined && !isAccount(user.text, context.userExists);
    if (isAmbiguous || extra !== undefined) {
      const stands = 'takes what stands behind an unquoted script';
      warnUnquoted(
        statement,
        isAmbiguous
          ? `keepalived ${stands} of '${statement.keyword.text}' for a user, and does not run the script where there is no such user`
          : `'${extra?.text ?? ''}' stands behind script, user and group, and is read over as in keepalived`,
        context,
      );
    }
    const words = scriptWords(command, context);
    if (words === undefined) return undefined;
    return {
      words,
      ...(user === undefined ? {} : { user: user.text }),
      ...(group === undefined ? {} : { group: group.text }),
    };
  },
  print: ({ words, user, group }) => ({
    words: [
      joinScriptWords(words),
      ...[user, group].filter((word) => word !== undefined).map(quoteWord),
    ],
  }),
};

/** As `notifyScript`, or nothing at all: no words. */
export const notifyScriptOrNothing: ValueType<ScriptLine> = {
  ...notifyScript,
  name: '["command arguments" [user [group]]]',
  minWords: 0,
  parse: (statement, context) =>
    statement.words.length === 0 ? { words: [] } : notifyScript.parse(statement, context),
  print: (line) => (line.words.length === 0 ? { words: [] } : notifyScript.print(line)),
};

/** `script "command arguments"` of a vrrp_script. */
export const checkScript: ValueType<ScriptLine> = {
  ...notifyScript,
  name: '"command arguments"',
  parse: (statement, context) => {
    const { command, rest } = commandOf(statement);
    if (command === undefined) return undefined;
    const [extra] = rest;
    if (extra !== undefined) {
      warnUnquoted(
        statement,
        `'${extra.text}' behind an unquoted script is no argument: the script runs without it, as in keepalived`,
        context,
      );
    }
    const words = scriptWords(command, context);
    return words === undefined ? undefined : { words };
  },
};

/**
 * The script and what stands behind it. A script in single quotes is several words to the
 * tokeniser; keepalived 2.2.7 runs it with its arguments.
 */
function commandOf({ words }: Statement): {
  readonly command: Token | undefined;
  readonly rest: readonly Token[];
} {
  const [first] = words;
  if (first === undefined || first.isQuoted || !first.text.startsWith("'")) {
    return { command: first, rest: words.slice(1) };
  }
  const end = words.findIndex(({ text }, i) => text.endsWith("'") && (i > 0 || text.length > 1));
  if (end < 0) return { command: first, rest: words.slice(1) };
  const raw = words
    .slice(0, end + 1)
    .map((word) => word.raw)
    .join(' ')
    .slice(1, -1);
  return { command: { ...first, raw, text: raw, isQuoted: true }, rest: words.slice(end + 1) };
}

/** Accounts that are known on every machine, or that keepalived's own manual names. */
const usualAccounts: ReadonlySet<string> = new Set(['root', 'nobody', 'keepalived_script']);

/**
 * Behind an unquoted script keepalived takes a word for a user. Where no user of that name exists
 * it drops the script; most of the time the word was meant as an argument.
 */
function isAccount(name: string, userExists: ParseContext['userExists']): boolean {
  return userExists(name) ?? usualAccounts.has(name);
}

function warnUnquoted(
  { keyword, words }: Statement,
  message: string,
  { problems }: ParseContext,
): void {
  const line = quoteAlways(words.map((word) => word.text).join(' '));
  problems.warning(words[1]?.at ?? keyword.at, 'unquoted-arguments', message, {
    expected: `${keyword.text} ${line} where the words are arguments, or nothing behind script, user and group`,
    fix: { kind: 'line', line: `${keyword.text} ${line}`, at: keyword.at },
  });
}

function scriptWords(command: Token, { problems }: ParseContext): readonly string[] | undefined {
  const words = command.isQuoted ? splitScriptWords(command.raw) : [command.text];
  if (words !== undefined && words.length > 0 && words[0] !== '') return words;
  problems.error(command.at, 'bad-value', 'this is not a script', {
    expected: 'a path, with its arguments in quotes',
  });
  return undefined;
}

/** `first [second]`, for example user and group. */
export function oneOrTwoWords(name: string): ValueType<readonly string[]> {
  return {
    name,
    minWords: 1,
    maxWords: 2,
    parse: ({ words }) => words.map((word) => word.text),
    print: (value) => ({ words: value.map(quoteWord) }),
  };
}

/** `keyword [word ...]`, any number of them. */
export function words(name: string, minWords = 0): ValueType<readonly string[]> {
  return {
    name,
    minWords,
    maxWords: Number.POSITIVE_INFINITY,
    parse: (statement) => statement.words.map((word) => word.text),
    print: (value) => ({ words: value.map(quoteWord) }),
  };
}

/** `keyword ADDRESS ...`: one or more, of either family. */
export const addresses: ValueType<readonly IpAddress[]> = {
  name: 'address ...',
  minWords: 1,
  maxWords: Number.POSITIVE_INFINITY,
  parse: ({ words: all }, { problems }) => {
    const found: IpAddress[] = [];
    for (const { text, at } of all) {
      const address = parseIp(text);
      if (address === undefined) {
        const message = `'${text.slice(0, 60)}' is not an address`;
        problems.error(at, 'bad-value', message, { expected: 'IPv4 or IPv6 addresses' });
        return undefined;
      }
      found.push(address);
    }
    return found;
  },
  print: (value) => ({ words: value.map(formatIp) }),
};

/** An item of a list: its words, read by `parse`. */
export interface ItemType<T> {
  readonly name: string;
  readonly refusedWords?: readonly string[];
  parse(words: readonly Token[], context: ParseContext): T | undefined;
  /** The words of the item's line. */
  print(value: T): readonly string[];
}

/** `keyword { item item ... }`; `style` says whether lines or words are items. */
export function list<T>(
  item: ItemType<T>,
  style: 'line-items' | 'word-items' = 'line-items',
): ValueType<readonly Located<T>[]> {
  return {
    name: `{ ${item.name} ... }`,
    minWords: 0,
    maxWords: 0,
    block: { style },
    ...(item.refusedWords === undefined ? {} : { refusedWords: item.refusedWords }),
    parse: ({ block, keyword }, context) =>
      (block?.statements ?? []).flatMap((statement) =>
        parseItem(item, statement, { ...context, owner: keyword.text }),
      ),
    print: (items) => ({
      words: [],
      block: items.map(({ value }) => ({ words: item.print(value) })),
    }),
  };
}

function parseItem<T>(
  item: ItemType<T>,
  statement: Statement,
  context: ParseContext,
): Located<T>[] {
  const { keyword, words, block } = statement;
  if (block !== undefined) {
    context.problems.error(block.open, 'unexpected-block', `'${keyword.text}' takes no block`);
    return [];
  }
  const value = item.parse([keyword, ...words], context);
  return value === undefined ? [] : [{ value, at: keyword.at, keyword: keyword.text }];
}

/** Names: `group { A B }` and the like, several on a line or one. */
export const nameItems: ItemType<readonly string[]> = {
  name: 'name',
  parse: (words) => words.map((word) => word.text),
  print: (names) => names.map(quoteWord),
};

/** `keyword [header words] { statements }` with its own table. */
export function block<R extends Rows>(
  rows: R,
  header: { readonly name: string; readonly min: number; readonly max: number },
  options: { style?: BlockStyle; isOptional?: boolean; hasExactHeader?: boolean } = {},
): ValueType<BlockValue<R>> {
  const { style = 'lines', isOptional = false, hasExactHeader = false } = options;
  return {
    name: `${header.name === '' ? '' : `${header.name} `}{ ... }`,
    minWords: header.min,
    maxWords: header.max,
    block: { style, rows, isOptional, hasExactHeader },
    parse: (statement, context) => ({
      header: statement.words.map((word) => word.text),
      ...parseRows(rows, statement.block?.statements ?? [], {
        ...context,
        owner: statement.keyword.text,
      }),
    }),
    print: (value) => ({
      words: value.header.map(quoteWord),
      block: printRows(rows, value.values),
    }),
  };
}

/** Header shapes in use. */
export const named = { name: 'NAME', min: 1, max: 1 } as const;
export const nameless = { name: '', min: 0, max: 0 } as const;
