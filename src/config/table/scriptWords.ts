/**
 * The words of a quoted script line: separated by blanks, `'...'` and `"..."` keep blanks, a
 * backslash takes the next character as it is (keepalived.conf(5), QUOTED STRINGS).
 */

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** undefined: a quote inside is not closed. */
export function splitScriptWords(raw: string): readonly string[] | undefined {
  const words: string[] = [];
  let i = 0;
  while (i < raw.length) {
    if (/\s/.test(raw[i] ?? '')) {
      i++;
      continue;
    }
    const word = readScriptWord(raw, i);
    if (word === undefined) return undefined;
    words.push(word.text);
    i = word.end;
  }
  return words;
}

/** The word at `start`, up to a blank outside of inner quotes. */
function readScriptWord(raw: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  let quote = '';
  let i = start;
  for (; i < raw.length; i++) {
    const character = raw[i] ?? '';
    const next = raw[i + 1];
    if (character === '\\' && next !== undefined && (quote !== "'" || next === '"')) {
      text += escapes[next] ?? next;
      i++;
    } else if (quote === '' && /\s/.test(character)) break;
    else if (character === quote) quote = '';
    else if (quote === '' && (character === "'" || character === '"')) quote = character;
    else text += character;
  }
  return quote === '' ? { text, end: i } : undefined;
}

/** The quoted text that splits into `words` again. */
export function joinScriptWords(words: readonly string[]): string {
  return `"${words.map(escapeScriptWord).join(' ')}"`;
}

function escapeScriptWord(word: string): string {
  if (word === '') return "''";
  return Array.from(word, escapeCharacter).join('');
}

function escapeCharacter(character: string): string {
  const control = Object.entries(escapes).find(([, value]) => value === character)?.[0];
  if (control !== undefined) return `\\${control}`;
  return /[\s'"\\$]/.test(character) ? `\\${character}` : character;
}
