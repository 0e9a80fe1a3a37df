/**
 * A file and what it includes, as one stream of tokens. The order of work on a line is
 * keepalived's: comment, include, `@id`, definition, repetition, substitution, words. Inside
 * conntrackd's blocks only comments are taken out. Everything is bounded: size, include depth,
 * substitutions.
 */
import { dirname, isAbsolute, join } from 'node:path';
import type { LoadPorts } from '../loadPorts.js';
import type { Position, ProblemList } from '../problem.js';
import {
  applyCondition,
  matchDefinition,
  matchRepetition,
  splitBehindBrace,
  substituteOnce,
  warnUndefined,
  type Definitions,
} from './definitions.js';
import { expandBraces, hasWildcard, matchFiles } from './glob.js';
import { placeOf, splitLine, type SourceLine } from './line.js';
import { conntrackdRoots, type Dialect, type Token } from './token.js';
import { bareText, tokeniseLine, withoutComment } from './words.js';

const characterLimit = 4 * 1024 * 1024;
const tokenLimit = 300_000;
const includeDepthLimit = 16;
const substitutionLimit = 200_000;
const substitutionDepthLimit = 200;
const lineLengthLimit = 64 * 1024;
const includeLine = /^\s*include([rmwba]?)\s+(\S.*?)\s*$/;
const lastBackslash = /\\\s*$/;

export interface TokenStream {
  readonly tokens: readonly Token[];
  /** Files read, the first one included. */
  readonly sources: readonly string[];
  /** Each include line with the files that were read for it. */
  readonly includes: readonly IncludedFiles[];
  /** False where reading ended early at one of the limits. */
  readonly isComplete: boolean;
}

/** None in `paths`: nothing matched its pattern. An unreadable file leaves no entry. */
export interface IncludedFiles {
  readonly file: string;
  readonly line: number;
  readonly paths: readonly string[];
}

export function readTokens(
  text: string,
  path: string,
  ports: LoadPorts,
  problems: ProblemList,
): TokenStream {
  const reader = new TokenReader(ports, problems);
  reader.readText(text, path, [path]);
  const { tokens, sources, includes, isComplete } = reader;
  return { tokens, sources, includes, isComplete };
}

class TokenReader {
  readonly tokens: Token[] = [];
  readonly sources: string[] = [];
  readonly includes: IncludedFiles[] = [];
  readonly #ports: LoadPorts;
  readonly #problems: ProblemList;
  readonly #definitions: Definitions = new Map();
  #configId: string;
  #dialect: Dialect = 'keepalived';
  #depth = 0;
  #characters = 0;
  #lineNumber = 0;
  #substitutions = 0;
  #stopped = false;

  constructor(ports: LoadPorts, problems: ProblemList) {
    this.#ports = ports;
    this.#problems = problems;
    this.#configId = ports.configId ?? ports.hostName.replace(/\..*$/, '');
  }

  get isComplete(): boolean {
    return !this.#stopped;
  }

  /** `stack` holds the real paths of the files that are being read. */
  readText(text: string, file: string, stack: readonly string[]): void {
    this.sources.push(file);
    this.#characters += text.length;
    if (this.#characters > characterLimit) {
      const at = { file, line: 1, column: 1 };
      this.#stop(at, 'too-large', `more than ${characterLimit} characters of configuration`);
      return;
    }
    this.#warnNoBreakSpace(text, file);
    const lines = text.split(/\r?\n/);
    for (let i = 0; i < lines.length && !this.#stopped; i++) {
      const line = { text: lines[i] ?? '', file, line: i + 1 };
      const continued = this.#continuation(lines, i, file);
      if (continued === undefined) this.#physicalLine(line, stack);
      else {
        this.#define({ ...line, text: continued.text });
        i = continued.last;
      }
    }
  }

  /** A definition that ends with a backslash goes on in the next lines. */
  #continuation(
    lines: readonly string[],
    first: number,
    file: string,
  ): { text: string; last: number } | undefined {
    const start = lines[first] ?? '';
    if (this.#dialect === 'conntrackd' && this.#depth > 0) return undefined;
    if (!/^\s*(@\S+\s+)?\$\w+=/.test(start) || !goesOn(start)) return undefined;
    const parts: string[] = [];
    let i = first;
    for (; i < lines.length; i++) {
      const line = lines[i] ?? '';
      const text = line.replace(lastBackslash, '');
      const bare = withoutComment({ text, file, line: i + 1 }, 'keepalived', this.#problems);
      parts.push(bare.text.replace(lastBackslash, ''));
      if (!goesOn(line)) break;
    }
    return { text: parts.join('\n'), last: i };
  }

  #physicalLine(line: SourceLine, stack: readonly string[]): void {
    this.#enterDialect(line.text);
    const bare = withoutComment(line, this.#dialect, this.#problems);
    if (this.#dialect === 'conntrackd') {
      this.#tokenise(bare);
      return;
    }
    if (!includeLine.test(bare.text)) {
      this.#logicalLine(bare, 0);
      return;
    }
    const expanded = this.#expanded(bare);
    const [, kind = '', pattern = ''] = includeLine.exec(expanded.text) ?? [];
    this.#include(kind, pattern, expanded, stack);
  }

  /** An include line with its definitions put in. */
  #expanded(line: SourceLine): SourceLine {
    let expanded = line;
    for (let depth = 0; !this.#stopped; depth++) {
      const replaced = this.#substitute(expanded, depth);
      if (replaced === undefined) break;
      expanded = replaced;
    }
    return expanded;
  }

  /** Only at root level: the first word decides whose block follows. */
  #enterDialect(text: string): void {
    if (this.#depth > 0) return;
    const word = /^[\s\u00a0]*([^\s\u00a0{}#]+)/.exec(text)?.[1];
    if (word !== undefined) {
      this.#dialect = conntrackdRoots.has(word) ? 'conntrackd' : 'keepalived';
    }
  }

  #logicalLine(line: SourceLine, depth: number): void {
    if (line.text.trim() === '' || this.#stopped) return;
    const wanted = applyCondition(line, this.#configId);
    if (wanted === undefined || this.#define(wanted)) return;
    const repetition = matchRepetition(wanted, this.#definitions, this.#problems);
    if (repetition !== undefined) {
      for (const binding of repetition.bindings) {
        for (const [name, value] of binding) this.#definitions.set(name, value);
        this.#logicalLine(repetition.rest, depth + 1);
      }
      return;
    }
    const parts = splitBehindBrace(wanted);
    if (parts !== undefined) {
      for (const part of parts) this.#logicalLine(part, depth);
      return;
    }
    const replaced = this.#substitute(wanted, depth);
    if (replaced === undefined) {
      warnUndefined(wanted, this.#problems);
      this.#tokenise(wanted);
    } else for (const part of splitLine(replaced)) this.#logicalLine(part, depth + 1);
  }

  /** True where the line was a definition. */
  #define(line: SourceLine): boolean {
    const wanted = applyCondition(line, this.#configId);
    if (wanted === undefined) return false;
    const definition = matchDefinition(wanted.text);
    if (definition === undefined) return false;
    this.#definitions.set(definition.name, definition.value);
    return true;
  }

  #substitute(line: SourceLine, depth: number): SourceLine | undefined {
    if (!line.text.includes('$')) return undefined;
    const builtIn = (name: string, at: SourceLine): string | undefined => this.#builtIn(name, at);
    const replaced = substituteOnce(line, this.#definitions, builtIn, this.#problems);
    if (replaced === undefined) return undefined;
    this.#substitutions++;
    const isEndless = depth > substitutionDepthLimit || this.#substitutions > substitutionLimit;
    if (isEndless || replaced.text.length > lineLengthLimit) {
      const message = 'definitions are replaced without end here';
      this.#stop(placeOf(line, 0), 'endless-definition', message);
    }
    return replaced;
  }

  #builtIn(name: string, line: SourceLine): string | undefined {
    if (name === '_PWD') return dirname(line.file);
    if (name === '_INSTANCE') return this.#configId;
    if (!name.startsWith('_RANDOM')) return undefined;
    const message = '_RANDOM would give each reading of this file another meaning';
    this.#problems.error(placeOf(line, line.text.indexOf('$')), 'not-supported', message, {
      expected: 'a fixed value',
    });
    return '1';
  }

  #tokenise(line: SourceLine): void {
    const first = this.tokens.length;
    tokeniseLine(line, ++this.#lineNumber, this.tokens, this.#problems);
    for (let i = first; i < this.tokens.length; i++) {
      const kind = this.tokens[i]?.kind;
      if (kind === 'open') this.#depth++;
      else if (kind === 'close') this.#depth = Math.max(0, this.#depth - 1);
    }
    this.#readConfigId(first);
    if (this.tokens.length > tokenLimit || this.#problems.isFull) {
      const message = `more than ${tokenLimit} words, or too many problems to go on`;
      this.#stop(placeOf(line, 0), 'too-large', message);
    }
  }

  /** `instance NAME` at root level names the config id for the `@id` lines behind it. */
  #readConfigId(first: number): void {
    const [keyword, name] = [this.tokens[first], this.tokens[first + 1]];
    if (this.#depth > 0 || keyword?.text !== 'instance' || name?.kind !== 'word') return;
    if (this.#ports.configId === undefined) this.#configId = name.text;
  }

  #include(kind: string, pattern: string, line: SourceLine, stack: readonly string[]): void {
    const at = placeOf(line, line.text.indexOf(pattern, line.text.indexOf('include') + 7));
    const plain = pattern.replace(/^"(.*)"$/, '$1');
    const base = isAbsolute(plain) ? plain : join(dirname(line.file), plain);
    const wanted: string[] = [];
    for (const alternative of expandBraces(base)) {
      const paths = matchFiles(alternative, this.#ports.files);
      const mustMatch = 'mwba'.includes(kind) && kind !== '';
      if (paths.length === 0 && hasWildcard(alternative)) {
        const message = `no file matches ${alternative}`;
        if (mustMatch) this.#problems.error(at, 'include-empty', message);
        else this.#problems.warning(at, 'include-empty', message);
      }
      wanted.push(...paths);
    }
    const paths = wanted.filter((path) => this.#includeFile(path, at, stack));
    if (paths.length === wanted.length) {
      this.includes.push({ file: line.file, line: line.line, paths });
    }
  }

  /** False where it was not read. */
  #includeFile(path: string, at: Position, stack: readonly string[]): boolean {
    if (this.#stopped) return false;
    const file = this.#ports.files.read(path);
    if (file.kind === 'unreadable') {
      this.#problems.error(at, 'include-unreadable', `cannot read ${path}: ${file.reason}`);
    } else if (stack.includes(file.realPath)) {
      this.#problems.error(at, 'include-loop', `${path} includes itself`);
    } else if (stack.length > includeDepthLimit) {
      this.#problems.error(at, 'include-depth', `includes are nested deeper than 16 files`);
    } else {
      this.readText(file.text, path, [...stack, file.realPath]);
      return true;
    }
    return false;
  }

  #warnNoBreakSpace(text: string, file: string): void {
    const index = text.indexOf('\u00a0');
    if (index < 0) return;
    const before = text.slice(0, index).split('\n');
    const at = { file, line: before.length, column: (before.at(-1) ?? '').length + 1 };
    const message = 'no-break spaces (copied from a web page?) are taken as blanks';
    this.#problems.warning(at, 'no-break-space', message, { expected: 'plain blanks' });
  }

  #stop(at: Position, code: string, message: string): void {
    if (!this.#stopped) this.#problems.error(at, code, message);
    this.#stopped = true;
  }
}

/** A definition goes on behind a backslash, which may stand before or behind a comment. */
function goesOn(line: string): boolean {
  return lastBackslash.test(line) || lastBackslash.test(bareText(line, 'keepalived'));
}
