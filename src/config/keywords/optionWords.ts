/** Lines of `name value` pairs after an optional first word: routes and rules share this reader. */
import { nearestWord } from '../nearest.js';
import type { ParseContext } from '../table/row.js';
import type { Token } from '../text/token.js';

/** `takesValue` false: the word stands alone. `read` gives false where the value is wrong. */
export interface OptionWord<D> {
  readonly aliases?: readonly string[];
  readonly takesValue: boolean;
  /** Words of which one may stand before the value. */
  readonly prefixes?: readonly string[];
  readonly expected?: string;
  read(draft: D, value: string, prefix?: string): boolean;
}

export interface OptionTable<D> {
  readonly what: string;
  readonly options: Readonly<Record<string, OptionWord<D>>>;
  /** Words of the incumbent that are refused. */
  readonly refused: readonly string[];
  /** A word that is no option, for example a destination; false where it is wrong. */
  readonly bareWord?: (draft: D, word: string) => boolean;
}

/** Fills `draft`; false where something is wrong (and reported). */
export function readOptions<D>(
  draft: D,
  words: readonly Token[],
  table: OptionTable<D>,
  context: ParseContext,
): boolean {
  let isRight = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    const option = findOption(table, word.text);
    if (option === undefined) {
      if (table.bareWord?.(draft, word.text) === true) continue;
      reportWord(word, table, context);
      return false;
    }
    if (!option.takesValue) {
      option.read(draft, '');
      continue;
    }
    const next = words[i + 1]?.text;
    const prefix = option.prefixes?.find((candidate) => candidate === next);
    if (prefix !== undefined) i++;
    if (!readValue(draft, option, word, { prefix, value: words[++i] }, context)) isRight = false;
  }
  return isRight;
}

function readValue<D>(
  draft: D,
  option: OptionWord<D>,
  word: Token,
  { prefix, value }: { readonly prefix: string | undefined; readonly value: Token | undefined },
  { problems }: ParseContext,
): boolean {
  if (value !== undefined && option.read(draft, value.text, prefix)) return true;
  const expected = option.expected ?? 'a value';
  if (value === undefined) {
    problems.error(word.at, 'missing-value', `'${word.text}' lacks its value`, { expected });
  } else {
    const message = `'${value.text}' is not right for '${word.text}'`;
    problems.error(value.at, 'bad-value', message, { expected });
  }
  return false;
}

function findOption<D>(table: OptionTable<D>, word: string): OptionWord<D> | undefined {
  if (Object.hasOwn(table.options, word)) return table.options[word];
  return Object.values(table.options).find((option) => option.aliases?.includes(word) === true);
}

function reportWord<D>(
  word: Token,
  table: OptionTable<D>,
  { problems, owner }: ParseContext,
): void {
  if (table.refused.includes(word.text)) {
    const message = `'${word.text}' in a ${table.what} of '${owner}' is not supported`;
    const expected = `a ${table.what} without it, or the whole ${table.what} set by a notify script`;
    problems.error(word.at, 'not-supported', message, { expected });
    return;
  }
  const known = Object.entries(table.options).flatMap(([name, option]) => [
    name,
    ...(option.aliases ?? []),
  ]);
  const nearest = nearestWord(word.text, known);
  problems.error(
    word.at,
    'bad-value',
    `'${word.text.slice(0, 60)}' is not right in a ${table.what} of '${owner}'`,
    nearest === undefined ? { expected: `one of ${known.join(', ')}` } : { nearest },
  );
}
