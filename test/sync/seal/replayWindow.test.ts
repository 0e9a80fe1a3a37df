import { ReplayWindow, windowSize } from '../../../src/sync/seal/replayWindow.js';
import { SeededRandom } from '../../support/base/seededRandom.js';

test('at least 1,024 counters are known one by one', () => {
  expect(windowSize).toBeGreaterThanOrEqual(1_024);
});

test('each counter is new once, in any order within the window', () => {
  const window = new ReplayWindow();
  for (const counter of [5, 3, 4, 0, 1, 2, windowSize, windowSize + 4]) {
    expect([counter, window.isNew(counter)]).toEqual([counter, true]);
    window.note(counter);
    expect([counter, window.isNew(counter)]).toEqual([counter, false]);
  }
});

test('what is older than the window counts as seen', () => {
  const window = new ReplayWindow();
  window.note(100_000);
  expect(window.isNew(100_000 - windowSize)).toBe(false);
  expect(window.isNew(100_000 - windowSize + 1)).toBe(true);
  expect(window.isNew(0)).toBe(false);
});

test('counters near 2^48 are counters like others', () => {
  const window = new ReplayWindow();
  const last = 2 ** 48 - 1;
  window.note(last - 5);
  expect(window.isNew(last)).toBe(true);
  window.note(last);
  expect([window.isNew(last), window.isNew(last - 5), window.isNew(last - 4)]).toEqual([
    ...[false, false, true],
  ]);
});

test('against a set that forgets nothing: 200,000 counters in disorder, some twice', () => {
  const random = new SeededRandom(7);
  const window = new ReplayWindow();
  const seen = new Set<number>();
  let newest = 0;
  const wrong: number[] = [];
  for (let i = 0; i < 200_000; i++) {
    const counter = Math.max(0, newest + random.below(3_000) - 2_500);
    const isNew = window.isNew(counter);
    const isInside = counter > newest - windowSize;
    if (isNew !== (isInside && !seen.has(counter))) wrong.push(counter);
    if (!isNew) continue;
    window.note(counter);
    seen.add(counter);
    newest = Math.max(newest, counter);
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBeGreaterThan(10_000);
});
