import { seconds } from '../../../src/base/time.js';
import { LossRepair } from '../../../src/sync/stream/lossRepair.js';

/** Seconds at which it asks; `missing` by second, the last of them for ever. */
function asked(missing: readonly number[], until: number): number[] {
  const repair = new LossRepair();
  return Array.from({ length: until }, (_one, second) => second).filter((second) =>
    repair.isDue(missing[second] ?? missing.at(-1) ?? 0, seconds(second)),
  );
}

test('nothing missing, nothing asked', () => {
  expect(asked([0], 100)).toEqual([]);
});

test('a loss is asked for at once, and once', () => {
  expect(asked([0, 2], 100)).toEqual([1]);
});

test('what is lost within the pause is asked for behind it', () => {
  expect(asked([0, 2, 2, 3], 100)).toEqual([1, 6]);
});

test('a network that goes on losing is asked less and less, and again often once it was quiet', () => {
  const always = Array.from({ length: 2_000 }, (_one, second) => second);
  expect(asked(always, 2_000)).toEqual([1, 6, 16, 36, 76, 156, 316, 616, 916, 1_216, 1_516, 1_816]);
  const quietThenLoss = [...always.slice(0, 40), ...Array<number>(260).fill(39), 40, 41];
  expect(asked(quietThenLoss, 400)).toEqual([1, 6, 16, 36, 76, 300, 310]);
});

test('what came late was not lost', () => {
  expect(asked([0, 0, 1, 0, 0, 0, 0, 0, 1], 20)).toEqual([2, 8]);
});
