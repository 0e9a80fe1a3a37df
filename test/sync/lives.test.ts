/**
 * Random lives of a pair in virtual time: loss, reordering, duplication, corruption, restarts,
 * wrapping numbers. When the network is good and quiet again, each external cache equals the
 * other's internal one.
 */
import { SyncLife, seededRandom, type LifeOptions } from '../support/sync/life.js';

jest.setTimeout(300_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';

function optionsFor(seed: number, mode: LifeOptions['mode']): LifeOptions {
  const random = seededRandom(seed * 7_919 + 13);
  const share = (most: number): number => (random.below(3) === 0 ? 0 : random.below(most));
  return {
    seed,
    mode,
    flows: 3 + random.below(40),
    operations: 20 + random.below(120),
    restarts: mode === 'FTFW' ? random.below(3) : 0,
    resendLimit: random.below(4) === 0 ? 16 + random.below(20) : 10_000,
    network: {
      lose: mode === 'FTFW' ? share(600) : 0,
      duplicate: share(300),
      corrupt: mode === 'FTFW' ? share(100) : 0,
      delay: mode === 'FTFW' ? 1 + random.below(50_000) : 1,
    },
  };
}

function live(from: number, count: number, mode: LifeOptions['mode']): void {
  const failures: unknown[] = [];
  for (let seed = from; seed < from + count && failures.length < 3; seed++) {
    const options = optionsFor(seed, mode);
    const life = new SyncLife(options);
    life.run();
    if (life.violations.length > 0) failures.push({ options, violations: life.violations });
  }
  expect(failures).toEqual([]);
}

const lives = isFull ? 50_000 : 5_000;

test(`FTFW: ${lives} random lives end with equal caches`, () => {
  live(1, lives, 'FTFW');
});

test('NOTRACK: on a network that only duplicates, the caches are equal', () => {
  live(1, 200, 'NOTRACK');
});

test('ALARM: refreshes and expiry make the caches equal', () => {
  live(1, 200, 'ALARM');
});
