/**
 * Text for a person: colour only on a terminal, lines within its width, columns that line up. Pure.
 */
import { milliseconds, subtractTime, toMilliseconds } from '../base/time.js';

export interface Look {
  readonly colour: boolean;
  readonly columns: number;
  /** Lines of a terminal; absent elsewhere. */
  readonly rows?: number;
}

/** Standard output's look: 80 columns unless it is a wider terminal; NO_COLOR is honoured. */
export function lookOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Look {
  const isTerminal = stream.isTTY === true;
  return {
    colour: isTerminal && environment['NO_COLOR'] === undefined,
    columns: isTerminal ? Math.max(80, stream.columns ?? 80) : 80,
    ...(isTerminal && stream.rows !== undefined ? { rows: stream.rows } : {}),
  };
}

/**
 * Of a screen that is drawn line by line: its real width, since a line that is longer would push
 * the first one off it. 80 by 24 where the terminal does not tell its size.
 */
export function screenLookOf(
  stream: { readonly columns?: number; readonly rows?: number },
  environment: Readonly<Record<string, string | undefined>>,
): Look & { readonly rows: number } {
  const orElse = (given: number | undefined, usual: number): number =>
    given === undefined || given < 1 ? usual : given;
  return {
    colour: environment['NO_COLOR'] === undefined,
    columns: orElse(stream.columns, 80),
    rows: orElse(stream.rows, 24),
  };
}

const escape = '\u001b';

export type Tone = 'good' | 'warning' | 'bad' | 'plain' | 'strong';

const codes: Readonly<Record<Tone, string>> = {
  good: '32',
  warning: '33',
  bad: '31',
  plain: '',
  strong: '1',
};

export function paint(text: string, tone: Tone, look: Look): string {
  return look.colour && tone !== 'plain' ? `${escape}[${codes[tone]}m${text}${escape}[0m` : text;
}

/** Words filled into lines of at most `columns`, later lines indented by `indent`. */
export function wrap(text: string, columns: number, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const room = lines.length === 0 ? columns : columns - indent;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** Rows of cells, each column as wide as its widest cell, the last one cut to fit. */
export function table(rows: readonly (readonly string[])[], look: Look): string {
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      return clip(line.trimEnd(), look.columns);
    })
    .join('\n');
}

export function clip(line: string, columns: number): string {
  if (line.length <= columns) return line;
  return columns < 1 ? '' : `${line.slice(0, columns - 1)}…`;
}

/** As `paint` writes it, in a group. */
const colourChange = new RegExp(`(${escape}\\[\\d*m)`);

/**
 * The same for a line with colours: what changes the colour has no width, and no colour stays on.
 */
export function clipPainted(line: string, columns: number): string {
  let room = columns;
  let shown = '';
  // A split by a group keeps what it was split at: text, colour, text, ...
  for (const [i, part] of line.split(colourChange).entries()) {
    if (i % 2 === 1) {
      shown += part;
      continue;
    }
    if (part.length > room) return `${shown}${clip(part, room)}${i > 1 ? `${escape}[0m` : ''}`;
    shown += part;
    room -= part.length;
  }
  return shown;
}

/** `3 d 4 h`, `5 min 2 s`, `0.4 s`: two units at most. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const seconds = Math.floor(milliseconds / 1_000);
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  const [unit, size] = units[first] ?? ['s', 1];
  const [nextUnit, nextSize] = units[first + 1] ?? ['', 0];
  const whole = `${Math.floor(seconds / size)} ${unit}`;
  if (nextSize === 0) return whole;
  const rest = Math.floor((seconds % size) / nextSize);
  return rest === 0 ? whole : `${whole} ${rest} ${nextUnit}`;
}

/** How long ago an instant in ISO 8601 was; `now` in milliseconds since 1970. */
export function age(iso: string, now: number): string {
  const passed = subtractTime(milliseconds(now), milliseconds(Date.parse(iso)));
  return duration(toMilliseconds(passed));
}

/** Date and time in UTC, to the second, of an instant in ISO 8601. */
export function utc(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}
