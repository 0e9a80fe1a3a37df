/**
 * `track_interface`, `track_script`, `track_file`, `track_process`, `track_target`: `NAME [weight
 * N] [reverse]`.
 */
import { nearestWord } from '../nearest.js';
import { anything } from '../table/scalarTypes.js';
import { keepalived, keepstate, notSupported, type ParseContext } from '../table/row.js';
import { list, type ItemType } from '../table/wordTypes.js';
import { quoteWord } from '../table/printRows.js';
import type { Token } from '../text/token.js';

export interface TrackItem {
  readonly name: string;
  /** Absent: the weight of the tracked thing itself. */
  readonly weight?: number;
  readonly isReversed?: boolean;
}

const words = ['weight', 'reverse', 'noreverse'];

const trackItems: ItemType<TrackItem> = {
  name: 'NAME [weight -253..253] [reverse|noreverse]',
  parse: parseItem,
  print: ({ name, weight, isReversed }) => [
    quoteWord(name),
    ...(weight === undefined ? [] : ['weight', String(weight)]),
    ...(isReversed === undefined ? [] : [isReversed ? 'reverse' : 'noreverse']),
  ],
};

function parseItem(items: readonly Token[], context: ParseContext): TrackItem | undefined {
  const [name, ...rest] = items;
  if (name === undefined) return undefined;
  let item: TrackItem = { name: name.text };
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i];
    if (word === undefined) break;
    if (word.text === 'reverse' || word.text === 'noreverse') {
      item = { ...item, isReversed: word.text === 'reverse' };
    } else if (word.text === 'weight') {
      const weight = readWeight(word, rest[++i], context);
      if (weight === undefined) return undefined;
      item = { ...item, weight };
    } else {
      const nearest = nearestWord(word.text, words);
      const message = `unknown word '${word.text}' in '${context.owner}'`;
      const details =
        nearest === undefined ? { expected: 'weight, reverse or noreverse' } : { nearest };
      context.problems.error(word.at, 'unknown-keyword', message, details);
      return undefined;
    }
  }
  return item;
}

/** -253..253; 254 is taken as 253, as keepalived does, with a warning. */
export function readWeight(
  keyword: Token,
  value: Token | undefined,
  { problems }: ParseContext,
): number | undefined {
  const number =
    value !== undefined && /^[+-]?\d{1,6}$/.test(value.text) ? Number(value.text) : NaN;
  if (Math.abs(number) <= 253) return number;
  const at = value?.at ?? keyword.at;
  if (Math.abs(number) === 254) {
    const taken = Math.sign(number) * 253;
    problems.warning(at, 'out-of-range', `weight ${number} is taken as ${taken}`, {
      expected: '-253..253',
      fix: { kind: 'word', from: value?.text ?? '', to: String(taken) },
    });
    return taken;
  }
  problems.error(at, 'bad-value', `'${value?.text ?? ''}' is not a weight`, {
    expected: 'a whole number -253..253',
  });
  return undefined;
}

/** The same in groups and instances. */
export const trackingRows = {
  track_interface: keepalived(
    list(trackItems),
    'interfaces whose loss lowers the priority, or is a fault',
    {
      repeats: true,
    },
  ),
  track_script: keepalived(list(trackItems), 'vrrp_script results that count here', {
    repeats: true,
  }),
  track_file: keepalived(list(trackItems), 'files whose number counts here', { repeats: true }),
  track_process: keepalived(list(trackItems), 'processes whose presence counts here', {
    repeats: true,
  }),
  track_target: keepstate(
    list(trackItems),
    'vrrp_track_target results that count here: a weight, or FAULT after a hand-over',
    { repeats: true },
  ),
  track_bfd: notSupported(
    keepalived(anything, 'BFD sessions that count here'),
    'track_interface, or track_script with a check of the path',
  ),
} as const;
