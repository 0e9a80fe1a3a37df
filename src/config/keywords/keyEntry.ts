/**
 * A key with its number: `ID hex:DIGITS`, `ID file:PATH`, or for VRRP `ID TEXT`. No message and no
 * printed form holds the key: only its fingerprint.
 */
import { decodeKey, type KeyRule } from '../keyText.js';
import type { Secret } from '../../base/secret.js';
import type { ValueType } from '../table/row.js';
import { quoteWord } from '../table/printRows.js';

export interface KeyLine {
  /** 1..255. */
  readonly id: number;
  readonly source:
    | { readonly kind: 'inline'; readonly secret: Secret }
    /** Read when the settings are built. */
    | { readonly kind: 'file'; readonly path: string };
}

const filePrefix = 'file:';

export function keyLine(rule: KeyRule): ValueType<KeyLine> {
  return {
    name: `1..255 ${rule.forms}|file:PATH`,
    minWords: 2,
    // The words of a phrase without quotes must not be named by a message.
    maxWords: Number.POSITIVE_INFINITY,
    parse: ({ keyword, words: [id, key, further] }, { problems }) => {
      const number = id !== undefined && /^\d{1,3}$/.test(id.text) ? Number(id.text) : 0;
      if (id === undefined || key === undefined || number < 1 || number > 255) {
        const message = `'${keyword.text}' begins with the number of the key`;
        problems.error(id?.at ?? keyword.at, 'bad-value', message, { expected: '1..255' });
        return undefined;
      }
      if (further !== undefined) {
        const message = `key ${number} has more than one word`;
        problems.error(further.at, 'bad-key', message, { expected: rule.expected });
        return undefined;
      }
      if (key.text.startsWith(filePrefix)) {
        const path = key.text.slice(filePrefix.length);
        if (path.startsWith('/')) return { id: number, source: { kind: 'file', path } };
        const message = 'the path of a key file is not absolute';
        problems.error(key.at, 'bad-value', message, { expected: 'file:/PATH' });
        return undefined;
      }
      const decoded = decodeKey(key.text, rule);
      if (typeof decoded !== 'string') {
        return { id: number, source: { kind: 'inline', secret: decoded } };
      }
      problems.error(key.at, 'bad-key', `key ${number}: ${decoded}`, { expected: rule.expected });
      return undefined;
    },
    print: ({ id, source }) => ({
      words: [
        String(id),
        source.kind === 'file'
          ? quoteWord(`${filePrefix}${source.path}`)
          : `fingerprint:${source.secret.fingerprint}`,
      ],
    }),
  };
}
