/**
 * Random lives of two nodes: whatever the order of crashes and roles, the purge leaves no flow
 * nowhere.
 */
import { PurgeLife } from '../support/sync/purgeLife.js';
import { seededRandom } from '../support/sync/life.js';

const lives = process.env['KEEPSTATE_FULL'] === '1' ? 2_000 : 100;

test('nothing is purged that no living MASTER holds and that no MASTER ended', () => {
  let [purged, adopted] = [0, 0];
  for (let seed = 1; seed <= lives; seed++) {
    const result = new PurgeLife(seededRandom(seed)).run(200);
    expect([seed, ...result.violations]).toEqual([seed]);
    purged += result.purged;
    adopted += result.adopted;
  }
  // The lives are not idle: flows are purged and taken over in them.
  expect(purged).toBeGreaterThan(10 * lives);
  expect(adopted).toBeGreaterThan(lives);
});
