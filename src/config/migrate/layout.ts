/**
 * Where the statements of a text stand, down to the column: what an edit may take without its
 * neighbours.
 */
import type { LoadPorts } from '../loadPorts.js';
import { ProblemList, type Position } from '../problem.js';
import { rootGrammar } from '../loadNode.js';
import { readTokens } from '../text/readTokens.js';
import type { Token } from '../text/token.js';
import { buildTree, type Statement } from '../tree.js';

/** Lines and columns count from 0; `end` is behind the last character. */
export interface Span {
  readonly firstLine: number;
  readonly lastLine: number;
  readonly start: number;
  readonly end: number;
  /** The brace that opens the statement's block. */
  readonly open?: { readonly line: number; readonly column: number };
  /** Nothing else stands in these lines, comments aside. */
  readonly ownsLines: boolean;
}

/** A statement at root level. */
export interface Root {
  readonly keyword: string;
  readonly span: Span;
}

export class Layout {
  readonly #lines: readonly string[];
  readonly #tokens: readonly Token[];
  /**
   * Index of a statement's first token, by place; a definition can put several into one place: -1.
   */
  readonly #starts = new Map<string, number>();
  readonly #statements = new Map<string, Statement>();
  readonly #roots: readonly Statement[];

  constructor(lines: readonly string[], file: string, ports: LoadPorts) {
    this.#lines = lines;
    const problems = new ProblemList();
    const { tokens, isComplete } = readTokens(lines.join('\n'), file, ports, problems);
    this.#tokens = tokens;
    const byKeyword = new Map<Token, number>(tokens.map((token, i) => [token, i]));
    this.#roots = buildTree(tokens, rootGrammar, problems, isComplete);
    const pending = [...this.#roots];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const key = keyOf(next.keyword.at);
      const index = byKeyword.get(next.keyword) ?? -1;
      this.#starts.set(key, this.#starts.has(key) ? -1 : index);
      this.#statements.set(key, next);
      pending.push(...(next.block?.statements ?? []));
    }
  }

  /** Those whose place is known, in their order. */
  roots(): readonly Root[] {
    return this.#roots.flatMap(({ keyword }): Root[] => {
      const span = this.spanOf(keyword.at);
      return span === undefined ? [] : [{ keyword: keyword.text, span }];
    });
  }

  /**
   * undefined: no statement begins there, or it comes out of a definition, or its block is not
   * closed.
   */
  spanOf(at: Position): Span | undefined {
    const statement = this.#statements.get(keyOf(at));
    const first = this.#starts.get(keyOf(at)) ?? -1;
    const firstToken = this.#tokens[first];
    if (statement === undefined || firstToken === undefined) return undefined;
    const open = statement.block === undefined ? undefined : this.#nextOpen(first);
    const last =
      statement.block === undefined
        ? first + statement.words.length
        : open === undefined
          ? -1
          : this.#closing(open);
    const lastToken = this.#tokens[last];
    if (lastToken === undefined) return undefined;
    const firstLine = firstToken.at.line - 1;
    const lastLine = lastToken.at.line - 1;
    const openToken = open === undefined ? undefined : this.#tokens[open];
    return {
      firstLine,
      lastLine,
      start: firstToken.at.column - 1,
      end: this.#endOf(lastToken),
      ...(openToken === undefined
        ? {}
        : { open: { line: openToken.at.line - 1, column: openToken.at.column - 1 } }),
      ownsLines:
        this.#tokens[first - 1]?.at.line !== firstLine + 1 &&
        this.#tokens[last + 1]?.at.line !== lastLine + 1,
    };
  }

  #nextOpen(from: number): number | undefined {
    const index = this.#tokens.findIndex((token, i) => i > from && token.kind === 'open');
    return index < 0 ? undefined : index;
  }

  #closing(open: number): number {
    let depth = 0;
    for (let i = open; i < this.#tokens.length; i++) {
      const kind = this.#tokens[i]?.kind;
      if (kind === 'open') depth++;
      else if (kind === 'close' && --depth === 0) return i;
    }
    return -1;
  }

  #endOf(token: Token): number {
    const start = token.at.column - 1;
    if (token.isQuoted) return start + token.raw.length + 2;
    const rest = (this.#lines[token.at.line - 1] ?? '').slice(start);
    if (rest.startsWith(token.raw)) return start + token.raw.length;
    // Escapes, or a definition's name.
    return start + (/^[^\s{}]+/.exec(rest)?.[0].length ?? 1);
  }
}

function keyOf({ line, column }: Position): string {
  return `${line}:${column}`;
}
