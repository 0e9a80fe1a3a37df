/**
 * Tokens into a tree of statements. The keyword tables say how a block is written: keepalived's
 * statements are lines, conntrackd's are as long as their keyword asks for, lists are items. Built
 * with a stack of its own, so that nesting cannot overflow ours.
 */
import type { Position, ProblemList } from './problem.js';
import type { Token } from './text/token.js';

/** How the inside of a block is written. */
export type BlockStyle =
  /** One statement per line (keepalived). */
  | 'lines'
  /** Statements end when their keyword has all its words (conntrackd). */
  | 'free'
  /** Each line is an item. */
  | 'line-items'
  /** Each word is an item. */
  | 'word-items'
  /** Another program's block: not looked into. */
  | 'opaque';

/** What the tree needs to know of a keyword; the keyword tables provide it. */
export interface StatementGrammar {
  readonly minWords: number;
  readonly maxWords: number;
  readonly block?: BlockGrammar;
}

export interface BlockGrammar {
  readonly style: BlockStyle;
  lookup(keyword: string): StatementGrammar | undefined;
}

export interface Statement {
  /** The first word; in a list, the item. */
  readonly keyword: Token;
  /** The words after it. */
  readonly words: Token[];
  block?: Block;
}

export interface Block {
  readonly open: Position;
  readonly statements: Statement[];
}

interface Frame {
  readonly grammar: BlockGrammar;
  readonly statements: Statement[];
  readonly open: Position;
  readonly owner: string;
  current:
    { statement: Statement; grammar: StatementGrammar | undefined; line: number } | undefined;
}

const depthLimit = 16;

/** The statements at root level. Brace mistakes are problems; the tree is complete in any case. */
export function buildTree(
  tokens: readonly Token[],
  root: BlockGrammar,
  problems: ProblemList,
  isComplete = true,
): readonly Statement[] {
  return new TreeBuilder(root, problems).build(tokens, isComplete);
}

class TreeBuilder {
  readonly #problems: ProblemList;
  readonly #root: Frame;
  readonly #stack: Frame[];
  /** Depth inside a block that is not looked into. */
  #skipping = 0;

  constructor(root: BlockGrammar, problems: ProblemList) {
    this.#problems = problems;
    const open = { file: '', line: 1, column: 1 };
    this.#root = { grammar: root, statements: [], open, owner: '', current: undefined };
    this.#stack = [this.#root];
  }

  build(tokens: readonly Token[], isComplete: boolean): readonly Statement[] {
    for (const token of tokens) {
      if (this.#skipping > 0) this.#skip(token);
      else if (token.kind === 'word') this.#word(token);
      else if (token.kind === 'open') this.#open(token);
      else this.#close(token);
    }
    if (isComplete) for (const frame of this.#stack.slice(1)) this.#neverClosed(frame);
    return this.#root.statements;
  }

  #skip(token: Token): void {
    if (token.kind === 'open') this.#skipping++;
    if (token.kind === 'close') this.#skipping--;
  }

  #word(token: Token): void {
    const frame = this.#top();
    const current = frame.current;
    if (current !== undefined && belongs(frame.grammar.style, current, token)) {
      current.statement.words.push(token);
      return;
    }
    const statement: Statement = { keyword: token, words: [] };
    frame.statements.push(statement);
    const grammar = frame.grammar.lookup(token.text);
    frame.current = { statement, grammar, line: token.lineNumber };
  }

  #open(token: Token): void {
    const frame = this.#top();
    const current = frame.current;
    if (current === undefined || current.statement.block !== undefined) {
      this.#problems.error(token.at, 'stray-brace', 'this brace opens a block without a keyword', {
        expected: 'a keyword before {',
      });
      this.#skipping = 1;
      return;
    }
    const { statement } = current;
    const isMisplacedRoot =
      this.#stack.length > 1 &&
      current.grammar === undefined &&
      this.#root.grammar.lookup(statement.keyword.text)?.block !== undefined;
    if (isMisplacedRoot) this.#returnToRoot(frame, statement);
    this.#push(statement, token);
  }

  /** `vrrp_instance B {` inside another block: a closing brace is missing before it. */
  #returnToRoot(frame: Frame, statement: Statement): void {
    const keyword = statement.keyword;
    this.#problems.error(
      keyword.at,
      'missing-brace',
      `'${keyword.text}' stands inside '${frame.owner}', which was opened in line ${frame.open.line}`,
      { expected: '} before it' },
    );
    frame.statements.pop();
    this.#stack.length = 1;
    this.#root.statements.push(statement);
    const grammar = this.#root.grammar.lookup(keyword.text);
    this.#root.current = { statement, grammar, line: keyword.lineNumber };
  }

  #push(statement: Statement, token: Token): void {
    const frame = this.#top();
    const block: Block = { open: token.at, statements: [] };
    statement.block = block;
    const grammar = frame.current?.grammar?.block;
    if (grammar === undefined || grammar.style === 'opaque') {
      this.#skipping = 1;
      return;
    }
    if (this.#stack.length >= depthLimit) {
      this.#problems.error(token.at, 'too-deep', 'blocks are nested too deeply');
      this.#skipping = 1;
      return;
    }
    this.#stack.push({
      grammar,
      statements: block.statements,
      open: token.at,
      owner: statement.keyword.text,
      current: undefined,
    });
  }

  #close(token: Token): void {
    if (this.#stack.length === 1) {
      this.#problems.error(token.at, 'stray-brace', 'this brace closes nothing', {
        expected: 'no } here, or a { before it',
      });
      return;
    }
    this.#stack.pop();
    this.#top().current = undefined;
  }

  #neverClosed(frame: Frame): void {
    const message = `the block '${frame.owner}' is never closed`;
    this.#problems.error(frame.open, 'missing-brace', message, { expected: 'a } for this {' });
  }

  #top(): Frame {
    return this.#stack.at(-1) ?? this.#root;
  }
}

/** Whether `token` goes on with the current statement, or begins the next one. */
function belongs(style: BlockStyle, current: NonNullable<Frame['current']>, token: Token): boolean {
  const isSameLine = token.lineNumber === current.line;
  const { statement, grammar } = current;
  switch (style) {
    case 'lines':
    case 'line-items':
      return isSameLine && statement.block === undefined;
    case 'word-items':
    case 'opaque':
      return false;
    case 'free':
      if (statement.block !== undefined) return false;
      if (grammar === undefined) return isSameLine;
      if (statement.words.length < grammar.minWords) return true;
      return isSameLine && statement.words.length < grammar.maxWords;
  }
}
