/**
 * Text that somebody else chose: a peer's name, a name of an interface, a line of a file. Shown raw
 * it could move the cursor, colour or hide what stands beside it, or end a line of the log. Every
 * renderer escapes what is not printable, and decoders of a peer's bytes let nothing else in.
 */

/**
 * Control and format characters, lone surrogates, line and paragraph separators, and what Unicode
 * has not assigned.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** `a\x1b[31mb` in place of what would colour the screen; one line. */
export function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Each string of a plain value, at any depth, keys too; everything else is as it was. */
export function printableValue<T>(value: T): T {
  // Strings stay strings and objects keep their shape: the type is the same.
  return deep(value) as T;
}

/**
 * JSON that is safe on a terminal: JSON.stringify leaves DEL, C1 and format characters as they are.
 */
export function printableJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent);
  return text.replace(unprintable, (found) => (found === '\n' ? found : jsonEscaped(found)));
}

/**
 * What a peer may call itself: at most `most` characters, those that are not printable replaced.
 */
export function printableName(text: string, most = 64): string {
  return Array.from(text.replace(unprintable, '?')).slice(0, most).join('');
}

function deep(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [printable(key), deep(one)]));
}

function escaped(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  return code <= 0xff ? `\\x${digits.padStart(2, '0')}` : `\\u{${digits}}`;
}

/** By UTF-16 unit, as JSON has it. */
function jsonEscaped(found: string): string {
  return found
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
