/** Problems that bring their fix, or whose line does nothing, as changes of lines. */
import type { ConfigProblem, Fix } from '../problem.js';
import { isWarningCode, warningCodes } from '../warningCodes.js';
import type { Layout, Span } from './layout.js';

/** The lines from `first` to `last` become `lines`. An insertion has `last` below `first`. */
export interface Edit {
  readonly first: number;
  readonly last: number;
  readonly lines: readonly string[];
}

/** undefined: it is left to the operator. */
export function editOf(
  problem: ConfigProblem,
  lines: readonly string[],
  layout: Layout,
): Edit | undefined {
  const fix = problem.fix ?? (isDropped(problem) ? ({ kind: 'drop' } as const) : undefined);
  if (fix === undefined) return undefined;
  const at = fix.at ?? problem.at;
  if (at.file !== problem.at.file) return undefined;
  const line = lines[at.line - 1] ?? '';
  if (fix.kind === 'word') {
    const changed = otherWord(line, at.column - 1, fix.from, fix.to);
    return changed === undefined ? undefined : replace(at.line - 1, line, changed, problem.message);
  }
  const span = layout.spanOf(at);
  if (span === undefined) return undefined;
  switch (fix.kind) {
    case 'drop':
      return drop(span, lines, problem.message);
    case 'line':
      return replaceSpan(span, line, fix.line, problem.message);
    case 'add':
      return add(fix, span, lines, problem.message);
  }
}

/** Whether the statement did something where it comes from that nobody will do now. */
export function isLoss({ code, loses }: ConfigProblem): boolean {
  return code === 'not-supported' || loses !== undefined;
}

/**
 * The reason that a note of this text gives for a dropped statement, in a block that was dropped
 * later too; undefined for other lines.
 */
export function reasonOfDrop(line: string): string | undefined {
  return /^\s*(?:# +)*# keepstate: (?:dropped|changed): (.*)$/.exec(line)?.[1];
}

/** A keyword that is refused goes too: migrate prints a file that starts, and says what it lost. */
function isDropped({ severity, code }: ConfigProblem): boolean {
  if (severity === 'error') return code === 'not-supported';
  return isWarningCode(code) && warningCodes[code].migrate === 'drops';
}

export function applyEdits(lines: readonly string[], edits: readonly Edit[]): readonly string[] {
  const result = [...lines];
  for (const edit of [...edits].sort((a, b) => b.first - a.first)) {
    result.splice(edit.first, edit.last - edit.first + 1, ...edit.lines);
  }
  return result;
}

/** Both would touch one line. */
export function overlap(a: Edit, b: Edit): boolean {
  return a.first <= Math.max(b.first, b.last) && b.first <= Math.max(a.first, a.last);
}

function drop(span: Span, lines: readonly string[], why: string): Edit | undefined {
  const { firstLine, lastLine } = span;
  const line = lines[firstLine] ?? '';
  if (!span.ownsLines) return replaceSpan(span, line, '', why);
  const old = lines.slice(firstLine, lastLine + 1).map(commentedOut);
  return {
    first: firstLine,
    last: lastLine,
    lines: [`${indentOf(line)}# keepstate: dropped: ${why}`, ...old],
  };
}

function replaceSpan(span: Span, line: string, text: string, why: string): Edit | undefined {
  // Where a definition was put in, columns are not those of the text.
  if (span.firstLine !== span.lastLine || line.includes('$')) return undefined;
  return replace(
    span.firstLine,
    line,
    line.slice(0, span.start) + text + line.slice(span.end),
    why,
  );
}

function replace(index: number, line: string, changed: string, why: string): Edit {
  return {
    first: index,
    last: index,
    lines: [`${indentOf(line)}# keepstate: changed: ${why}`, commentedOut(line), changed],
  };
}

/** At `column`, or as a word behind it. */
function otherWord(line: string, column: number, from: string, to: string): string | undefined {
  if (line.includes('$')) return undefined;
  if (line.startsWith(from, column)) {
    return line.slice(0, column) + to + line.slice(column + from.length);
  }
  const words = [...line.slice(column).matchAll(/[^\s{}"]+/g)];
  const found = words.find(([word]) => word === from);
  if (found === undefined) return undefined;
  const start = column + found.index;
  return line.slice(0, start) + to + line.slice(start + from.length);
}

function add(
  { where, lines: added }: Fix & { readonly kind: 'add' },
  span: Span,
  lines: readonly string[],
  why: string,
): Edit | undefined {
  if (where === 'inside') return addInside(added, span, lines, why);
  if (!span.ownsLines) return undefined;
  const indent = indentOf(lines[span.firstLine] ?? '');
  const first = span.lastLine + 1;
  return { first, last: first - 1, lines: noted(added, indent, why) };
}

function addInside(
  added: readonly string[],
  { open, firstLine }: Span,
  lines: readonly string[],
  why: string,
): Edit | undefined {
  if (open === undefined) return undefined;
  const line = lines[open.line] ?? '';
  const indent = indentOf(lines[firstLine] ?? '');
  const inner = noted(added, `${indent}    `, why);
  const rest = line.slice(open.column + 1);
  if (/^\s*([#!].*)?$/.test(rest)) {
    return { first: open.line + 1, last: open.line, lines: inner };
  }
  return {
    first: open.line,
    last: open.line,
    lines: [line.slice(0, open.column + 1), ...inner, `${indent}    ${rest.trim()}`],
  };
}

function noted(added: readonly string[], indent: string, why: string): readonly string[] {
  return [`${indent}# keepstate: added: ${why}`, ...added.map((line) => `${indent}${line}`)];
}

export function indentOf(line: string): string {
  return /^\s*/.exec(line)?.[0] ?? '';
}

function commentedOut(line: string): string {
  return line.trim() === '' ? line : line.replace(/^\s*/, (indent) => `${indent}#   `);
}
