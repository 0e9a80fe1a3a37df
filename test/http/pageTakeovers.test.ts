import type { HistoryEntry } from '../../src/control/statusAnswer.js';
import { takeovers } from '../../src/http/pageTakeovers.js';

const entry: HistoryEntry = {
  at: '2026-03-01T11:56:55.140Z',
  name: 'G1',
  kind: 'group',
  from: 'BACKUP',
  to: 'MASTER',
  because: 'no master was heard',
};

const textOf = (...history: readonly HistoryEntry[]): string =>
  takeovers(history)
    .text.replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

test('a takeover stands with its stages, in words and as a line of time', () => {
  const done = { ...entry, flowsCommitted: 20, silenceMs: 3000, commitMs: 600, takeoverMs: 1000 };
  expect(textOf(done)).toContain(
    '20 3000 ms of silence, commit 600 ms, addresses up and announced 1000 ms after the decision',
  );
  const bars = [
    ...takeovers([done]).text.matchAll(/class="(\w+)"\s+x="([\d.]+)"\s+y="0"\s+width="([\d.]+)"/g),
  ];
  expect(bars.map(([, name]) => name)).toEqual(['silence', 'commit', 'addresses']);
  const [silence, commit, addresses] = bars.map(([, , , width]) => Number(width));
  expect(silence).toBeGreaterThan(Number(commit) * 4);
  expect(commit).toBeGreaterThan(Number(addresses));
  const end = Number(bars[2]?.[2]) + Number(addresses);
  expect(end).toBeCloseTo(360, 0);
});

test('a commit in advance takes nothing of the takeover', () => {
  const text = textOf({ ...entry, commitMs: 37, takeoverMs: 1.3 });
  expect(text).toContain('commit 37 ms in advance, addresses up and announced 1 ms after');
});

test('a merge after a split stands too, and what failed in it', () => {
  const split = { ...entry, kind: 'sync', from: 'MASTER', flowsMerged: 9, flowsFailed: 1 } as const;
  expect(textOf({ ...split, mergeMs: 697.7 })).toContain('9, 1 failed merged within 698 ms');
});

test('the last five, newest first; none of which nothing is known, and text is no markup', () => {
  const many = Array.from({ length: 7 }, (_, i) => ({ ...entry, name: `G${i}`, takeoverMs: 0.2 }));
  const text = textOf(entry, ...many, { ...entry, to: 'BACKUP', takeoverMs: 5 });
  expect(text.match(/G\d/g)).toEqual(['G6', 'G5', 'G4', 'G3', 'G2']);
  expect(text).toContain('announced less than 1 ms after');
  expect(takeovers([{ ...entry, because: '<b>', takeoverMs: 1 }]).text).toContain('&lt;b&gt;');
  expect(takeovers([entry]).text).toBe('');
});
