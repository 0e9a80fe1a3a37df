/**
 * One line into words and braces. Words end at blanks; `"..."` is one word, in which \" \\ and \$
 * stand for the character. Outside quotes \# and \! stand for a comment character. A brace is a
 * token of its own at the start of a word, and at its end.
 */
import type { ProblemList } from '../problem.js';
import { placeOf, type SourceLine } from './line.js';
import type { Dialect, Token } from './token.js';

/**
 * Blank, tab, form feed, carriage return, and the no-break space of configurations copied from web
 * pages.
 */
const blank = /[\s\u00a0]/;

/** `text` without its comment. Comments start anywhere outside double quotes. */
export function withoutComment(
  line: SourceLine,
  dialect: Dialect,
  problems: ProblemList,
): SourceLine {
  const end = commentStart(line.text, dialect);
  if (end < 0) return line;
  const before = line.text[end - 1];
  if (before !== undefined && !/[\s\u00a0{}"]/.test(before)) {
    problems.warning(
      placeOf(line, end),
      'comment-inside-word',
      `'${line.text[end] ?? ''}' starts a comment here and cuts the word before it`,
      {
        expected: 'a blank before the comment, or quotes around the word',
        fix: { kind: 'word', from: line.text[end] ?? '', to: ` ${line.text[end] ?? ''}` },
      },
    );
  }
  if (line.columns !== undefined) {
    return { ...line, text: line.text.slice(0, end), columns: line.columns.slice(0, end) };
  }
  return { ...line, text: line.text.slice(0, end) };
}

/** The same of a text without a place. */
export function bareText(text: string, dialect: Dialect): string {
  const end = commentStart(text, dialect);
  return end < 0 ? text : text.slice(0, end);
}

function commentStart(text: string, dialect: Dialect): number {
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '#' || (character === '!' && dialect === 'keepalived')) return i;
  }
  return -1;
}

/** Appends the tokens of `line` (comment already removed) to `into`. */
export function tokeniseLine(
  line: SourceLine,
  lineNumber: number,
  into: Token[],
  problems: ProblemList,
): void {
  const { text } = line;
  let i = 0;
  while (i < text.length) {
    const character = text[i] ?? '';
    if (blank.test(character)) i++;
    else if (character === '{' || character === '}') {
      into.push(brace(line, i, lineNumber));
      i++;
    } else if (character === '"') i = quotedWord(line, i, lineNumber, into, problems);
    else i = plainWord(line, i, lineNumber, into);
  }
}

function brace(line: SourceLine, index: number, lineNumber: number): Token {
  const text = line.text[index] ?? '';
  const kind = text === '{' ? 'open' : 'close';
  return { kind, text, raw: text, isQuoted: false, at: placeOf(line, index), lineNumber };
}

/** Returns the index behind the closing quote. */
function quotedWord(
  line: SourceLine,
  start: number,
  lineNumber: number,
  into: Token[],
  problems: ProblemList,
): number {
  let word = '';
  let i = start + 1;
  for (; i < line.text.length && line.text[i] !== '"'; i++) {
    const next = line.text[i + 1];
    const isEscape = line.text[i] === '\\' && (next === '"' || next === '\\' || next === '$');
    if (isEscape) i++;
    word += line.text[i] ?? '';
  }
  const at = placeOf(line, start);
  if (i >= line.text.length) {
    problems.error(at, 'unterminated-quote', 'this quote is not closed on its line', {
      expected: 'a closing "',
    });
  }
  const raw = line.text.slice(start + 1, i);
  into.push({ kind: 'word', text: word, raw, isQuoted: true, at, lineNumber });
  return i + 1;
}

/** Returns the index behind the word. */
function plainWord(line: SourceLine, start: number, lineNumber: number, into: Token[]): number {
  const { text } = line;
  let word = '';
  let i = start;
  let braceAt = -1;
  for (; i < text.length; i++) {
    const character = text[i] ?? '';
    if (blank.test(character)) break;
    const next = text[i + 1];
    if ((character === '{' || character === '}') && /^[{}]*(?:\s|\u00a0|$)/.test(text.slice(i))) {
      braceAt = i;
      break;
    }
    if (character === '\\' && (next === '#' || next === '!' || next === '$' || next === '"')) {
      word += next;
      i++;
    } else word += character;
  }
  const at = placeOf(line, start);
  into.push({ kind: 'word', text: word, raw: word, isQuoted: false, at, lineNumber });
  for (; braceAt >= 0 && (text[i] === '{' || text[i] === '}'); i++) {
    into.push(brace(line, i, lineNumber));
  }
  return i;
}
