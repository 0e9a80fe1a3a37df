/**
 * The words of a quoted script line: separated by blanks, `'...'` and `"..."` keep blanks, a backslash
 * takes the next character as it is (keepalived.conf(5), QUOTED STRINGS).
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
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < raw.length; i++) {
    const character = raw[i] ?? '';
    const next = raw[i + 1];
    if (character === '\\' && next !== undefined && (quote !== "'" || next === '"')) {
      word = (word ?? '') + (escapes[next] ?? next);
      i++;
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

/** The quoted text that splits into `words` again. */
export function joinScriptWords(words: readonly string[]): string {
  return `"${words.map(escapeScriptWord).join(' ')}"`;
}

function escapeScriptWord(word: string): string {
  if (word === '') return "''";
  return [...word].map(escapeCharacter).join('');
}

function escapeCharacter(character: string): string {
  const control = Object.entries(escapes).find(([, value]) => value === character)?.[0];
  if (control !== undefined) return `\\${control}`;
  return /[\s'"\\$]/.test(character) ? `\\${character}` : character;
}
