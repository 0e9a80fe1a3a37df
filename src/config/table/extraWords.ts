/**
 * Words behind a value that say nothing: keepalived 2.2.7 reads over them, wherever its manual has
 * no use for them («interface eth0 (lan)», «nopreempt 1»). They are read over here as well, aloud.
 */
import type { ProblemList } from '../problem.js';
import type { Statement } from '../tree.js';
import { quoteWord } from './printRows.js';
import type { Row } from './row.js';

/**
 * keepalived refuses more words only in the header of a list («virtual_ipaddress x {») and of an
 * instance or group. A keyword of keepstate or conntrackd takes what its row says and no more.
 */
export function readsOverWords({ source, type: { block } }: Row<unknown>): boolean {
  if (source === 'keepstate' || source === 'conntrackd 1.4.7') return false;
  return block === undefined || (block.style === 'lines' && block.hasExactHeader !== true);
}

const denials: ReadonlySet<string> = new Set(['off', 'false', 'no', '0']);

/** The statement without the words beyond `maxWords`, which are reported. */
export function withoutExtraWords(
  statement: Statement,
  maxWords: number,
  problems: ProblemList,
): Statement {
  const { keyword, words } = statement;
  const extra = words[maxWords];
  if (extra === undefined) return statement;
  const kept = words.slice(0, maxWords);
  const line = [keyword.text, ...kept.map(({ text }) => quoteWord(text))].join(' ');
  const isDenial = maxWords === 0 && denials.has(extra.text.toLowerCase());
  problems.warning(
    extra.at,
    'words-read-over',
    isDenial
      ? `'${keyword.text}' counts although '${extra.text}' stands behind it, as in keepalived`
      : `'${extra.text}' behind '${keyword.text}' is read over, as in keepalived`,
    {
      expected: isDenial
        ? `no line ${keyword.text} where it should not count`
        : 'nothing more on this line',
      ...(statement.block === undefined
        ? { fix: { kind: 'line', line, at: keyword.at } as const }
        : {}),
    },
  );
  return { ...statement, words: kept };
}
