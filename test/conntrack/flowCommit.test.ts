import { timeoutFor } from '../../src/conntrack/flowCommit';
import { clearScratch, has, newScratch, word } from '../../src/conntrack/flowRecord';
import { NameTable } from '../../src/conntrack/nameTable';

const flow = newScratch(new NameTable());

test.each([
  ['what is left since the last update', 432_000, 1_000, 1_100, undefined, 431_900],
  ['60 where it is over', 30, 1_000, 1_100, undefined, 60],
  ['60 where it ends just now', 100, 1_000, 1_100, undefined, 60],
  ['60 where the clock went back', 100, 1_000, 900, undefined, 60],
  ['the fixed timeout for all', 432_000, 1_000, 1_100, 180, 180],
])('a committed flow gets %s', (_, told, updated, now, fixed, expected) => {
  clearScratch(flow);
  flow.set(word.timeout, told);
  flow.set(word.updated, updated);
  flow.learn(has.timeout);
  expect(timeoutFor(flow, now, fixed)).toBe(expected);
});

test('a committed flow whose timeout was never told gets 60', () => {
  clearScratch(flow);
  expect(timeoutFor(flow, 10)).toBe(60);
});
