import { systemClock } from '../../../src/base/systemClock.js';
import { systemRandom } from '../../../src/base/systemRandom.js';
import { liveOnce } from '../../support/vrrp/lan.js';

/** Seconds; new seeds in each run. A failure names the seed and the command that lives it again. */
const duration = process.env['KEEPSTATE_FULL'] === '1' ? 60 : 5;

test('lives with seeds never seen before hold the invariants too', () => {
  const end = systemClock.now() + duration * 1_000_000;
  let lives = 0;
  for (; systemClock.now() < end; lives++) liveOnce(systemRandom.below(2 ** 31));
  expect(lives).toBeGreaterThan(0);
}, 120_000);
