/**
 * A line of text that remembers where each character came from: after a definition was put in, its
 * characters carry the column of the `$` that asked for them.
 */
import type { Position } from '../problem.js';

export interface SourceLine {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  /** Column of each character; absent: index + 1. */
  readonly columns?: readonly number[];
}

export function placeOf(line: SourceLine, index: number): Position {
  const column = line.columns === undefined ? index + 1 : columnAt(line.columns, index);
  return { file: line.file, line: line.line, column };
}

function columnAt(columns: readonly number[], index: number): number {
  return columns[index] ?? (columns.at(-1) ?? 0) + 1;
}

/** The part of `line` from `start` up to `end`, keeping columns. */
export function sliceLine(line: SourceLine, start: number, end = line.text.length): SourceLine {
  const columns: number[] = [];
  for (let i = start; i < end; i++) columns.push(placeOf(line, i).column);
  return { text: line.text.slice(start, end), file: line.file, line: line.line, columns };
}

/** Replaces [start, end) of `line` by `text`; what is put in carries the column of `start`. */
export function replaceInLine(
  line: SourceLine,
  start: number,
  end: number,
  text: string,
): SourceLine {
  const before = sliceLine(line, 0, start);
  const after = sliceLine(line, end);
  const column = placeOf(line, start).column;
  const inserted = new Array<number>(text.length).fill(column);
  return {
    text: before.text + text + after.text,
    file: line.file,
    line: line.line,
    columns: [...(before.columns ?? []), ...inserted, ...(after.columns ?? [])],
  };
}

/** Splits at newlines (they come from definitions of several lines). */
export function splitLine(line: SourceLine): readonly SourceLine[] {
  if (!line.text.includes('\n')) return [line];
  const parts: SourceLine[] = [];
  let start = 0;
  for (let i = 0; i <= line.text.length; i++) {
    if (i !== line.text.length && line.text[i] !== '\n') continue;
    parts.push(sliceLine(line, start, i));
    start = i + 1;
  }
  return parts;
}
