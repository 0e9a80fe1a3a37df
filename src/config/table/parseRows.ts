/** Statements against a keyword table: the generic half of parsing, the same for every block. */
import { nearestWord } from '../nearest.js';
import { readsOverWords, withoutExtraWords } from './extraWords.js';
import type { Position, ProblemList } from '../problem.js';
import type { Statement } from '../tree.js';
import {
  findRow,
  knownSpellings,
  type Located,
  type ParseContext,
  type Row,
  type Rows,
  type Values,
} from './row.js';

export interface ParsedRows<R extends Rows> {
  readonly values: Values<R>;
  readonly mentioned: ReadonlySet<string>;
}

/** Reads `statements` by `rows`. Every problem is reported; what is right is kept. */
export function parseRows<R extends Rows>(
  rows: R,
  statements: readonly Statement[],
  context: ParseContext,
): ParsedRows<R> {
  const values: Record<string, Located<unknown>[]> = {};
  const mentioned = new Set<string>();
  for (const name of Object.keys(rows)) values[name] = [];
  for (const statement of statements) {
    const found = findRow(rows, statement.keyword.text);
    if (found === undefined) {
      reportUnknown(rows, statement, context);
      continue;
    }
    mentioned.add(found.name);
    const into = values[found.name] ?? [];
    const value = parseRow(found.row, statement, context);
    if (value === undefined) continue;
    const earlier = found.row.repeats ? undefined : into.at(-1);
    const { counts } = found.row;
    if (earlier !== undefined) reportRepeated(statement, earlier.at, counts, context.problems);
    if (earlier !== undefined && counts === 'first') continue;
    into.push({ value, at: statement.keyword.at, keyword: statement.keyword.text });
  }
  // Each key of `rows` was filled with values of its own row.
  return { values: values as Values<R>, mentioned };
}

function parseRow(row: Row<unknown>, statement: Statement, context: ParseContext): unknown {
  const { support, type } = row;
  const { keyword } = statement;
  if (support.kind === 'not-supported') {
    context.problems.error(keyword.at, 'not-supported', `'${keyword.text}' is not supported`, {
      expected: support.alternative,
    });
    return undefined;
  }
  if (support.kind === 'no-effect') {
    const message = `'${keyword.text}' has no effect here: ${support.reason}`;
    const { loses } = support;
    context.problems.warning(
      keyword.at,
      'no-effect',
      message,
      loses === undefined ? {} : { loses },
    );
    return type.parse(statement, context);
  }
  const isNegated = row.negation === keyword.text;
  const shape = isNegated ? { name: '', minWords: 0, maxWords: 0 } : type;
  const wanted = readsOverWords(row)
    ? withoutExtraWords(statement, shape.maxWords, context.problems)
    : statement;
  if (!checkShape(wanted, shape, context.problems)) return undefined;
  return isNegated ? false : type.parse(wanted, context);
}

/** Whether the statement has as many words, and a block where one belongs. */
function checkShape(
  statement: Statement,
  type: Pick<Row<unknown>['type'], 'name' | 'minWords' | 'maxWords' | 'block'>,
  problems: ProblemList,
): boolean {
  const { keyword, words, block } = statement;
  if (words.length < type.minWords) {
    problems.error(keyword.at, 'missing-value', `'${keyword.text}' lacks its value`, {
      expected: `${type.name} behind it`,
    });
    return false;
  }
  const extra = words[type.maxWords];
  if (extra !== undefined) {
    const message = `'${extra.text}' is too much behind '${keyword.text}'`;
    const expected = type.block === undefined ? 'the end of the line' : '{';
    problems.error(extra.at, 'too-many-words', message, { expected });
    return false;
  }
  if (block !== undefined && type.block === undefined) {
    problems.error(block.open, 'unexpected-block', `'${keyword.text}' takes no block`);
    return false;
  }
  if (block === undefined && type.block !== undefined && type.block.isOptional !== true) {
    const message = `'${keyword.text}' lacks its block`;
    problems.error(keyword.at, 'missing-block', message, { expected: '{' });
    return false;
  }
  return true;
}

function reportUnknown(rows: Rows, statement: Statement, context: ParseContext): void {
  const { keyword } = statement;
  const homes = homesOf(keyword.text, context.root);
  const nearest = homes.length > 0 ? undefined : nearestWord(keyword.text, knownSpellings(rows));
  const where = context.owner === '' ? 'at root level' : `in '${context.owner}'`;
  context.problems.error(
    keyword.at,
    'unknown-keyword',
    `unknown keyword '${shorten(keyword.text)}' ${where}`,
    homes.length > 0
      ? { expected: `it ${homes.join(' or ')}` }
      : nearest === undefined
        ? { expected: keywordList(rows) }
        : { nearest },
  );
}

/** Where a keyword that is written right belongs: `in 'vrrp_instance'`. */
function homesOf(keyword: string, root: Rows): readonly string[] {
  const inBlocks = blocksWith(keyword, root, '');
  const names = inBlocks.map((name) => (name === '' ? 'at root level' : `in '${name}'`));
  // A word of many blocks, such as `weight`, says nothing about where it should stand.
  return names.length > 3 ? [] : [...new Set(names)];
}

function blocksWith(keyword: string, rows: Rows, owner: string): readonly string[] {
  return [
    ...(findRow(rows, keyword) === undefined ? [] : [owner]),
    ...Object.entries(rows).flatMap(([name, { type }]) =>
      type.block?.rows === undefined ? [] : blocksWith(keyword, type.block.rows, name),
    ),
  ];
}

function keywordList(rows: Rows): string {
  const names = Object.keys(rows);
  return `one of ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', ...' : ''}`;
}

function reportRepeated(
  { keyword }: Statement,
  earlier: Position,
  counts: 'first' | 'last',
  problems: ProblemList,
): void {
  const message = `'${keyword.text}' stands here a second time; the ${counts} one counts`;
  problems.warning(keyword.at, 'repeated', message, {
    expected: `one of them; the other stands in line ${earlier.line}`,
    fix: counts === 'first' ? { kind: 'drop' } : { kind: 'drop', at: earlier },
  });
}

/** Text of unknown origin in a message of bounded length. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
