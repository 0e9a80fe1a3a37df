import { seconds } from '../../../src/base/time.js';
import { LossRepair, type LossyStream } from '../../../src/sync/stream/lossRepair.js';

type Change = Partial<Pick<LossyStream, 'settings' | 'externalMode' | 'announcesEnds'>>;

/** Seconds at which it asks; `missing` by second, the last of them for ever. */
function asked(missing: readonly number[], until: number, change: Change = {}): number[] {
  const found: number[] = [];
  let second = 0;
  const repair = new LossRepair({
    settings: { mode: 'NOTRACK' },
    externalMode: { committable: undefined },
    announcesEnds: () => true,
    ...change,
    replicator: {
      machine: {
        get counters() {
          return { lost: (missing[second] ?? missing.at(-1) ?? 0) + 7, before: 7 };
        },
      },
    },
    askForAll: () => found.push(second),
  });
  for (second = 0; second < until; second++) repair.tick(seconds(second));
  return found;
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

test('only where NOTRACK loses and nobody compares', () => {
  const cached = { externalMode: { committable: {} } };
  expect(asked([0, 2], 100, cached)).toEqual([]);
  expect(asked([0, 2], 100, { ...cached, announcesEnds: () => false })).toEqual([1]);
  expect(asked([0, 2], 100, { settings: { mode: 'FTFW' } })).toEqual([]);
});
