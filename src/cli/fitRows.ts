/** Several lists of lines on a screen that has not enough rows for all of them. Pure. */

export interface Section {
  readonly lines: readonly string[];
  /** It is not made shorter than this, as long as another one can be; at least 1. */
  readonly least: number;
}

/**
 * The sections with an empty line between them, in at most `rows` lines. The longest one gives way
 * first, and its last line says how many are not shown. Where even the least are too many, what
 * stands last is cut off.
 */
export function fitRows(sections: readonly Section[], rows: number): readonly string[] {
  const given = sections.filter(({ lines }) => lines.length > 0);
  const lengths = given.map(({ lines }) => lines.length);
  const gaps = Math.max(0, given.length - 1);
  let excess = lengths.reduce((sum, length) => sum + length, gaps) - rows;
  while (excess > 0) {
    const spare = given.map(({ least }, i) => (lengths[i] ?? 0) - Math.max(1, least));
    const most = Math.max(...spare);
    if (most <= 0) break;
    const longest = spare.indexOf(most);
    lengths[longest] = (lengths[longest] ?? 0) - 1;
    excess--;
  }
  return given
    .flatMap(({ lines }, i) => [...(i === 0 ? [] : ['']), ...cut(lines, lengths[i] ?? 0)])
    .slice(0, rows);
}

function cut(lines: readonly string[], length: number): readonly string[] {
  if (lines.length <= length) return lines;
  if (length < 2) return lines.slice(0, length);
  return [...lines.slice(0, length - 1), `  … ${lines.length - length + 1} more`];
}
