/** The `alert` block (ours): who is told of role changes and problems. */
import { alarmWords, type AlarmWord } from '../../alert/alertSettings.js';
import { nearestWord } from '../nearest.js';
import { keepstate, type ValueType } from '../table/row.js';
import { integer, reportBadValue, wordType } from '../table/scalarTypes.js';
import { notifyScript } from '../table/wordTypes.js';

/** `http://...` or `https://...`. */
const webhookUrl: ValueType<string> = wordType(
  'URL',
  'a URL that begins with http:// or https://',
  (text) => {
    if (!URL.canParse(text)) return undefined;
    const { protocol, hostname, hash } = new URL(text);
    const isRight = ['http:', 'https:'].includes(protocol) && hostname !== '' && hash === '';
    return isRight && text.length <= 2_000 ? text : undefined;
  },
);

/** `on WORD ...`. */
const kinds: ValueType<readonly AlarmWord[]> = {
  name: `${alarmWords.join('|')} ...`,
  minWords: 1,
  maxWords: Number.POSITIVE_INFINITY,
  parse: ({ keyword, words }, context) => {
    const found: AlarmWord[] = [];
    for (const word of words) {
      const kind = alarmWords.find((one) => one === word.text);
      if (kind === undefined) {
        const nearest = nearestWord(word.text, alarmWords);
        reportBadValue(keyword, word, `some of ${alarmWords.join(', ')}`, context, nearest);
        return undefined;
      }
      if (!found.includes(kind)) found.push(kind);
    }
    return found;
  },
  print: (value) => ({ words: value }),
};

export const alertRows = {
  exec: keepstate(
    notifyScript,
    'run for each alarm, with its JSON on standard input; it took it when it ends with status 0',
    { repeats: true },
  ),
  webhook: keepstate(webhookUrl, 'POST the JSON of each alarm; it took it when it answers 2xx', {
    repeats: true,
  }),
  on: keepstate(
    kinds,
    'what is told: transitions, completed takeovers, all problems, or those that are errors',
    { default: 'role problem' },
  ),
  repeat: keepstate(
    integer(10, 604_800),
    'a problem that goes on is told again, under the same id',
    { unit: 'seconds', default: 'it is told once' },
  ),
} as const;
