/** Values back into text: the normal form, in the order of the tables. */
import type { Located, Printed, Row, Rows, Values } from './row.js';

/**
 * One printed statement for each value; a keyword that does not repeat prints the value that
 * counts.
 */
export function printRows<R extends Rows>(rows: R, values: Values<R>): readonly Printed[] {
  const printed: Printed[] = [];
  for (const [name, row] of Object.entries(rows)) {
    const all: readonly Located<unknown>[] = values[name] ?? [];
    if (row.support.kind !== 'supported') continue;
    for (const located of row.repeats ? all : all.slice(-1)) {
      printed.push(printRow(name, row, located.value));
    }
  }
  return printed;
}

function printRow(name: string, row: Row<unknown>, value: unknown): Printed {
  if (row.negation !== undefined && value === false) return { words: [row.negation] };
  const { words, block } = row.type.print(value);
  return block === undefined ? { words: [name, ...words] } : { words: [name, ...words], block };
}

/** Text with four blanks of indentation per level. */
export function renderPrinted(printed: readonly Printed[], indent = ''): string {
  return printed.map((line) => renderOne(line, indent)).join('');
}

function renderOne(printed: Printed, indent: string): string {
  const line = indent + printed.words.join(' ');
  if (printed.block === undefined) return `${line}\n`;
  return `${line} {\n${renderPrinted(printed.block, `${indent}    `)}${indent}}\n`;
}

/** A word as it must be written to be read back: quoted where a character has a meaning. */
export function quoteWord(word: string): string {
  if (word !== '' && !/[\s\u00a0#!"{}$@~\\]/.test(word)) return word;
  return quoteAlways(word);
}

/** The form of scripts: always in quotes. */
export function quoteAlways(text: string): string {
  return `"${text.replace(/["\\$]/g, '\\$&')}"`;
}
