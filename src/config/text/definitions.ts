/**
 * keepalived's `$NAME=value`, `$NAME`, `${NAME}`, `@id`, `~SEQ(...)` and `~LST(...)`
 * (keepalived.conf(5), PARAMETER SUBSTITUTION). Values are substituted where they are used,
 * recursively.
 */
import { placeOf, replaceInLine, sliceLine, type SourceLine } from './line.js';
import type { ProblemList } from '../problem.js';

export type Definitions = Map<string, string>;

/** `$NAME=value`; the value may be empty. */
export function matchDefinition(text: string): { name: string; value: string } | undefined {
  const match = /^\s*\$([A-Za-z_]\w*)=(.*)$/s.exec(text);
  if (match === null) return undefined;
  // Elsewhere `\#` is a character; in a definition keepalived 2.2.7 begins a comment there all the
  // same (`$OFF=\#` is empty).
  const value = (match[2] ?? '').replace(/\\[#!].*$/gm, '').trim();
  return { name: match[1] ?? '', value };
}

/**
 * `@id rest` and `@^id rest`: the rest, or undefined where the condition does not hold; else the
 * line.
 */
export function applyCondition(line: SourceLine, configId: string): SourceLine | undefined {
  const match = /^(\s*)@(\^?)(\S*)\s*/.exec(line.text);
  if (match === null) return line;
  const holds = (match[3] === configId) !== (match[2] === '^');
  return holds ? sliceLine(line, match[0].length) : undefined;
}

/**
 * `keyword { ~SEQ(...)` and `keyword { @id`: what stands behind the brace begins a line of its own.
 * undefined: there is nothing of the kind.
 */
export function splitBehindBrace(
  line: SourceLine,
): readonly [head: SourceLine, tail: SourceLine] | undefined {
  const match = /^[^"]*?\{(?=\s*[~@])/.exec(line.text);
  if (match === null) return undefined;
  const { length } = match[0];
  return [sliceLine(line, 0, length), sliceLine(line, length)];
}

/** Replaces the first known definition in `line`; undefined where there is none. */
export function substituteOnce(
  line: SourceLine,
  definitions: Definitions,
  builtIn: (name: string, line: SourceLine) => string | undefined,
  problems: ProblemList,
): SourceLine | undefined {
  const pattern = /\$(?:\{([A-Za-z_]\w*)((?: +\d+)*)\}|([A-Za-z_]\w*))/g;
  for (const match of line.text.matchAll(pattern)) {
    if (line.text[match.index - 1] === '\\') continue;
    const name = match[1] ?? match[3] ?? '';
    const end = match.index + match[0].length;
    const commentSign = commentSigns.get(name);
    if (commentSign !== undefined)
      return replaceSign(line, match.index, end, commentSign, problems);
    const value = definitions.get(name) ?? builtIn(name + (match[2] ?? ''), line);
    if (value === undefined) continue;
    const next = line.text[end];
    if (match[1] === undefined && next !== undefined && !/[\s,)]/.test(next)) {
      problems.warning(
        placeOf(line, match.index),
        'definition-not-replaced',
        `$${name} is not replaced before '${next}'`,
        { expected: `\${${name}}` },
      );
      continue;
    }
    return replaceInLine(line, match.index, end, value);
  }
  return undefined;
}

/**
 * `${NAME}` that nothing defines stays as it is; nobody else would expand it, no shell reads these
 * lines.
 */
export function warnUndefined(line: SourceLine, problems: ProblemList): void {
  for (const { 0: written, 1: name = '', index } of line.text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)) {
    if (line.text[index - 1] === '\\') continue;
    problems.warning(placeOf(line, index), 'undefined-name', `${written} is defined nowhere`, {
      expected: `a line $${name}=... before it, or \\${written} for the characters themselves`,
    });
  }
}

/** Definitions that keepalived brings along: the signs that otherwise start a comment. */
const commentSigns: ReadonlyMap<string, string> = new Map([
  ['_HASH', '#'],
  ['_BANG', '!'],
]);

/**
 * keepalived 2.2.7 puts the bare sign in: within quotes it is a character, elsewhere a comment
 * starts.
 */
function replaceSign(
  line: SourceLine,
  start: number,
  end: number,
  sign: string,
  problems: ProblemList,
): SourceLine {
  if (isInsideQuotes(line.text, start)) return replaceInLine(line, start, end, sign);
  problems.warning(
    placeOf(line, start),
    'comment-inside-word',
    `'${line.text.slice(start, end)}' outside quotes starts a comment: what stands behind it is dropped`,
    { expected: 'double quotes around the word' },
  );
  return sliceLine(line, 0, start);
}

function isInsideQuotes(text: string, index: number): boolean {
  let isInside = false;
  for (let i = 0; i < index; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') isInside = !isInside;
  }
  return isInside;
}

/**
 * The variable bindings of a `~SEQ` or `~LST` at the start of a line, and what is to be repeated.
 */
export interface Repetition {
  readonly bindings: readonly ReadonlyMap<string, string>[];
  readonly rest: SourceLine;
}

const repetitionLimit = 100_000;

/**
 * undefined: the line does not start with one. Problems are reported, and then nothing is repeated.
 */
export function matchRepetition(
  line: SourceLine,
  definitions: Definitions,
  problems: ProblemList,
): Repetition | undefined {
  const match = /^\s*~(SEQx?|LST)\s*\(([^()]*)\)\s*/.exec(line.text);
  if (match === null) return undefined;
  const rest = sliceLine(line, match[0].length);
  const kind = match[1] ?? '';
  const body = expandDefinitions(match[2] ?? '', definitions);
  const bindings = kind === 'LST' ? listBindings(body) : sequenceBindings(body, kind === 'SEQx');
  if (bindings !== undefined) return { bindings, rest };
  problems.error(placeOf(line, 0), 'bad-repetition', `~${kind}(${body}) cannot be repeated`, {
    expected: '~SEQ(name, start, step, end) or ~LST(name, value, value)',
  });
  return { bindings: [], rest };
}

/** `text` with the definitions that are known so far; each value is put in as it is. */
function expandDefinitions(text: string, definitions: Definitions): string {
  return text.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (written, braced: string | undefined, plain: string | undefined) =>
      definitions.get(braced ?? plain ?? '') ?? written,
  );
}

function sequenceBindings(
  body: string,
  isHex: boolean,
): readonly ReadonlyMap<string, string>[] | undefined {
  const [name = '', ...numbers] = body.split(',').map((part) => part.trim());
  const values = numbers.map(Number);
  const isRight = isName(name) && !numbers.includes('') && values.every(Number.isInteger);
  const range = isRight ? sequenceRange(values) : undefined;
  if (range === undefined) return undefined;
  const { start, step, end } = range;
  if (step === 0 || Math.abs((end - start) / step) > repetitionLimit) return undefined;
  const bindings: ReadonlyMap<string, string>[] = [];
  for (let value = start; step > 0 ? value <= end : value >= end; value += step) {
    bindings.push(new Map([[name, value.toString(isHex ? 16 : 10)]]));
  }
  return bindings;
}

/** `end`, `start, end` or `start, step, end`; what is left out is 1, or -1 where it goes down. */
function sequenceRange(
  values: readonly number[],
): { start: number; step: number; end: number } | undefined {
  const [first, second, third] = values;
  if (first === undefined || values.length > 3) return undefined;
  if (third !== undefined) return { start: first, step: second ?? 1, end: third };
  const start = second === undefined ? (first > 0 ? 1 : -1) : first;
  const end = second ?? first;
  return { start, step: end >= start ? 1 : -1, end };
}

function isName(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text);
}

function listBindings(body: string): readonly ReadonlyMap<string, string>[] | undefined {
  const parts = body.match(/\{[^{}]*\}|[^,{}]+/g)?.map((part) => part.trim()) ?? [];
  const groups = parts.filter((part) => part !== '').map((part) => splitGroup(part));
  const [names, ...values] = groups;
  if (names === undefined || values.length === 0) return undefined;
  if (!names.every(isName)) return undefined;
  if (values.some((value) => value.length !== names.length)) return undefined;
  return values.map((value) => new Map(names.map((name, i) => [name, value[i] ?? ''])));
}

function splitGroup(part: string): readonly string[] {
  const inner = part.startsWith('{') ? part.slice(1, -1) : part;
  return inner.split(',').map((word) => word.trim());
}
