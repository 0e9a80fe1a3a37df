/**
 * A keyword as a row: the only place where it is declared. Parser, validator, printer and reference
 * page are made from rows, so they cannot disagree.
 */
import type { IpFamily } from '../../base/ipAddress.js';
import type { Position, ProblemList } from '../problem.js';
import type { BlockGrammar, BlockStyle, Statement, StatementGrammar } from '../tree.js';

/** A value and where it was written. `order` grows through the whole configuration. */
export interface Located<T> {
  readonly value: T;
  readonly at: Position;
  /** The keyword as written, for aliases. */
  readonly keyword: string;
}

export interface ParseContext {
  readonly problems: ProblemList;
  /** The keyword of the enclosing block, for messages. */
  readonly owner: string;
  /** All tables, to say where a keyword belongs that stands in the wrong block. */
  readonly root: Rows;
  /**
   * For rules that have none, by family. keepalived 2.2.7 counts downwards through the file, static
   * rules and those of instances together, so it is counted while the text is read.
   */
  readonly nextRulePriority: Record<IpFamily, number>;
  /** undefined: nothing is known of the machine's users. */
  readonly userExists: (name: string) => boolean | undefined;
}

/** For the root level of a configuration. */
export function parseContext(
  root: Rows,
  problems: ProblemList,
  userExists: ParseContext['userExists'] = () => undefined,
): ParseContext {
  return { problems, owner: '', root, nextRulePriority: { 4: 16_384, 6: 16_384 }, userExists };
}

/** A line to print, with the block that follows it. */
export interface Printed {
  readonly words: readonly string[];
  readonly block?: readonly Printed[];
}

/** How one kind of value is read, checked, printed and described. */
export interface ValueType<T> {
  /** For the reference page: `whole number`, `address`, ... */
  readonly name: string;
  readonly minWords: number;
  readonly maxWords: number;
  readonly block?: BlockShape;
  /** Words of the incumbent inside this value that are refused; for the reference page. */
  readonly refusedWords?: readonly string[];
  /** Reports what is wrong and gives undefined then. */
  parse(statement: Statement, context: ParseContext): T | undefined;
  /** Words and block that parse to the same value; the keyword is put before by the caller. */
  print(value: T): Printed;
}

export interface BlockShape {
  readonly style: BlockStyle;
  /** Keywords inside, where the style has keywords. */
  readonly rows?: Rows;
  /** The keyword may also stand without a block. */
  readonly isOptional?: boolean;
  /** More words in front of the block than the header has are a mistake, not read over. */
  readonly hasExactHeader?: boolean;
}

export type Support =
  | { readonly kind: 'supported' }
  | {
      readonly kind: 'no-effect';
      readonly reason: string;
      /**
       * What another daemon did for this keyword and nobody does here: «mails about role changes».
       */
      readonly loses?: string;
    }
  | { readonly kind: 'not-supported'; readonly alternative: string };

export type Source = 'keepalived 2.2.7' | 'keepalived 2.4' | 'conntrackd 1.4.7' | 'keepstate';

export interface Row<T> {
  readonly type: ValueType<T>;
  readonly help: string;
  readonly source: Source;
  readonly support: Support;
  /** Other spellings with the same meaning. */
  readonly aliases: readonly string[];
  /** A spelling without words that means `false`. */
  readonly negation?: string;
  readonly unit?: string;
  readonly default?: string;
  /** May stand several times; otherwise one counts. */
  readonly repeats: boolean;
  /** Which one counts where a keyword stands twice and does not repeat. */
  readonly counts: 'first' | 'last';
}

export type Rows = Readonly<Record<string, Row<unknown>>>;

export type ValueOf<R> = R extends Row<infer T> ? T : never;

/** What a block says: for each keyword its values in the order written. */
export type Values<R extends Rows> = {
  readonly [K in keyof R]: readonly Located<ValueOf<R[K]>>[];
};

/** A block with its header words. */
export interface BlockValue<R extends Rows> {
  readonly header: readonly string[];
  readonly values: Values<R>;
  /**
   * Keywords that stand in the block, those with a wrong value included: what is here is not
   * missing.
   */
  readonly mentioned: ReadonlySet<string>;
}

type RowDetails<T> = Partial<Omit<Row<T>, 'type' | 'help' | 'source' | 'support'>>;

function row<T>(source: Source, type: ValueType<T>, help: string, details: RowDetails<T>): Row<T> {
  return {
    aliases: [],
    repeats: false,
    counts: 'last',
    support: { kind: 'supported' },
    ...details,
    type,
    help,
    source,
  };
}

/** A keyword of keepalived that works here. */
export function keepalived<T>(
  type: ValueType<T>,
  help: string,
  details: RowDetails<T> = {},
): Row<T> {
  return row('keepalived 2.2.7', type, help, details);
}

/** A keyword of conntrackd that works here. */
export function conntrackd<T>(
  type: ValueType<T>,
  help: string,
  details: RowDetails<T> = {},
): Row<T> {
  return row('conntrackd 1.4.7', type, help, details);
}

/** A keyword of our own. */
export function keepstate<T>(
  type: ValueType<T>,
  help: string,
  details: RowDetails<T> = {},
): Row<T> {
  return row('keepstate', type, help, details);
}

/**
 * The same row, accepted but without effect; `reason` says why, or what to use instead. `loses`
 * names what nobody does any more, where that is something.
 */
export function withoutEffect<T>(row: Row<T>, reason: string, loses?: string): Row<T> {
  const support = { kind: 'no-effect', reason } as const;
  return { ...row, support: loses === undefined ? support : { ...support, loses } };
}

/** The same row, refused; `alternative` says what to do instead. */
export function notSupported<T>(row: Row<T>, alternative: string): Row<T> {
  return { ...row, support: { kind: 'not-supported', alternative } };
}

/** Where a value of a newer release is meant. */
export function since24<T>(row: Row<T>): Row<T> {
  return { ...row, source: 'keepalived 2.4' };
}

/** The value that counts. */
export function last<T>(values: readonly Located<T>[]): Located<T> | undefined {
  return values.at(-1);
}

/** Finds a keyword by its name, an alias or its negation. */
export function findRow(
  rows: Rows,
  keyword: string,
): { readonly name: string; readonly row: Row<unknown> } | undefined {
  const own = Object.hasOwn(rows, keyword) ? rows[keyword] : undefined;
  if (own !== undefined) return { name: keyword, row: own };
  return spellings(rows).get(keyword);
}

/** Every spelling that a table knows. */
export function knownSpellings(rows: Rows): readonly string[] {
  return [...Object.keys(rows), ...spellings(rows).keys()];
}

type Spellings = ReadonlyMap<string, { readonly name: string; readonly row: Row<unknown> }>;
const spellingsOf = new WeakMap<Rows, Spellings>();

function spellings(rows: Rows): Spellings {
  const cached = spellingsOf.get(rows);
  if (cached !== undefined) return cached;
  const made = new Map<string, { name: string; row: Row<unknown> }>();
  for (const [name, row] of Object.entries(rows)) {
    for (const alias of row.aliases) made.set(alias, { name, row });
    if (row.negation !== undefined) made.set(row.negation, { name, row });
  }
  spellingsOf.set(rows, made);
  return made;
}

/** The grammar that the tree builder asks for, from the rows. */
export function blockGrammar(shape: BlockShape): BlockGrammar {
  const { style, rows } = shape;
  return {
    style,
    lookup: (keyword) => {
      const row = rows === undefined ? undefined : findRow(rows, keyword)?.row;
      return row === undefined ? undefined : statementGrammar(row.type);
    },
  };
}

function statementGrammar(type: ValueType<unknown>): StatementGrammar {
  const { minWords, maxWords, block } = type;
  if (block === undefined) return { minWords, maxWords };
  return { minWords, maxWords, block: blockGrammar(block) };
}
