/** `vrrp_script`, `track_file`, `vrrp_track_process`, `vrrp_sync_group`, `garp_group`. */
import { bare, choice, decimal, flag, integer, interfaceName, word } from '../table/scalarTypes.js';
import { smtpAlert } from './mailRows.js';
import { keepalived, keepstate, type ValueType } from '../table/row.js';
import { checkScript, list, nameItems, oneOrTwoWords, words } from '../table/wordTypes.js';
import { notifyRows } from './instanceRows.js';
import { readWeight, trackingRows } from './tracking.js';
import { nearestWord } from '../nearest.js';

export interface Weight {
  readonly weight: number;
  readonly isReversed: boolean;
}

/** `weight -253..253 [reverse]`. */
export const weightType: ValueType<Weight> = {
  name: '-253..253 [reverse]',
  minWords: 1,
  maxWords: 2,
  parse: ({ keyword, words: [value, reverse] }, context) => {
    const weight = readWeight(keyword, value, context);
    if (weight === undefined) return undefined;
    if (reverse !== undefined && !['reverse', 'noreverse'].includes(reverse.text)) {
      const nearest = nearestWord(reverse.text, ['reverse']);
      const details = nearest === undefined ? { expected: 'reverse' } : { nearest };
      context.problems.error(
        reverse.at,
        'bad-value',
        `'${reverse.text}' is not known here`,
        details,
      );
      return undefined;
    }
    return { weight, isReversed: reverse?.text === 'reverse' };
  },
  print: ({ weight, isReversed }) => ({
    words: [String(weight), ...(isReversed ? ['reverse'] : [])],
  }),
};

export interface InitFile {
  readonly value: number;
  readonly overwrite: boolean;
}

/** `init_file [value] [overwrite]`. */
const initFileType: ValueType<InitFile> = {
  name: '[value] [overwrite]',
  minWords: 0,
  maxWords: 2,
  parse: (statement, context) => {
    let file: InitFile = { value: 0, overwrite: false };
    for (const word of statement.words) {
      if (word.text === 'overwrite') file = { ...file, overwrite: true };
      else if (/^[+-]?\d{1,6}$/.test(word.text)) file = { ...file, value: Number(word.text) };
      else {
        const message = `'${word.text}' is not right for 'init_file'`;
        context.problems.error(word.at, 'bad-value', message, {
          expected: 'a whole number, overwrite, or both',
        });
        return undefined;
      }
    }
    return file;
  },
  print: ({ value, overwrite }) => ({
    words: [String(value), ...(overwrite ? ['overwrite'] : [])],
  }),
};

const paramMatchWords = choice(['initial', 'partial', 'exact']);
/** `param_match` alone says nothing, and keepalived 2.2.7 says nothing of it. */
const paramMatch: ValueType<'initial' | 'partial' | 'exact' | undefined> = {
  ...paramMatchWords,
  minWords: 0,
  parse: (statement, context) =>
    statement.words.length === 0 ? undefined : paramMatchWords.parse(statement, context),
  print: (value) => (value === undefined ? { words: [] } : paramMatchWords.print(value)),
};

const userType = oneOrTwoWords('USER [GROUP]');

export const scriptRows = {
  script: keepalived(checkScript, 'the check; exit status 0 is good'),
  interval: keepalived(decimal(0.001, 86_400), 'from start to start', {
    unit: 'seconds',
    default: '1',
  }),
  timeout: keepalived(decimal(0.001, 86_400), 'a check that runs longer has failed', {
    unit: 'seconds',
    default: 'interval',
  }),
  weight: keepalived(
    weightType,
    'added to the priority while good (or, negative, while bad); 0: failing is a fault',
    {
      default: '0',
    },
  ),
  rise: keepalived(integer(1, 1_000_000), 'successes in a row that make it good', { default: '1' }),
  fall: keepalived(integer(1, 1_000_000), 'failures in a row that make it bad', { default: '1' }),
  user: keepalived(userType, 'who runs it', { default: 'script_user' }),
  init_fail: keepalived(bare, 'bad until the first result', { default: 'off' }),
} as const;

export const trackFileRows = {
  file: keepalived(word, 'a file whose first number counts'),
  weight: keepalived(weightType, 'the number in the file is multiplied by this', { default: '1' }),
  init_file: keepalived(initFileType, 'made at start if missing; overwrite: in any case'),
} as const;

export const trackProcessRows = {
  process: keepalived(words('COMMAND [arguments]', 1), 'the process to look for'),
  param_match: keepalived(paramMatch, 'how arguments are compared'),
  full_command: keepalived(bare, 'compare the whole command line', { default: 'off' }),
  weight: keepalived(weightType, 'as in vrrp_script', { default: '0' }),
  quorum: keepalived(integer(1, 65_535), 'at least so many processes', { default: '1' }),
  quorum_max: keepalived(integer(0, 65_535), 'at most so many'),
  fork_delay: keepalived(decimal(0, 86_400), 'a new process counts after', {
    unit: 'seconds',
    default: '0',
  }),
  terminate_delay: keepalived(decimal(0, 86_400), 'an ended process counts until', {
    unit: 'seconds',
    default: '0',
  }),
  delay: keepalived(decimal(0, 86_400), 'both', { unit: 'seconds', default: '0' }),
} as const;

export const groupRows = {
  group: keepalived(list(nameItems), 'the instances that change state together', { repeats: true }),
  ...notifyRows,
  ...trackingRows,
  sync_group_tracking_weight: keepalived(bare, 'weights of members count', {
    aliases: ['global_tracking'],
    default: 'off',
  }),
  conntrack_sync: keepstate(flag, 'this group drives the connection-tracking synchronisation', {
    default: 'by primary-backup.sh lines; else the only group',
  }),
  smtp_alert: smtpAlert,
} as const;

export const garpGroupRows = {
  garp_interval: keepalived(decimal(0, 3_600), 'pause between ARP packets', {
    unit: 'seconds',
    default: '0',
  }),
  gna_interval: keepalived(decimal(0, 3_600), 'pause between neighbour advertisements', {
    unit: 'seconds',
    default: '0',
  }),
  interface: keepalived(interfaceName, 'the interface that this is for'),
  interfaces: keepalived(list(nameItems), 'the interfaces that this is for', { repeats: true }),
} as const;
