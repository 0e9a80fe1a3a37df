/**
 * Lives of a node without an internal cache in virtual time: events, dumps and bulks interleave in
 * every way.
 */
import { BypassLife, type BypassOptions } from '../support/sync/bypassLife.js';
import { SeededRandom } from '../support/base/seededRandom.js';

jest.setTimeout(300_000);

const lives = process.env['KEEPSTATE_FULL'] === '1' ? 10_000 : 400;

function optionsFor(seed: number): BypassOptions {
  const random = new SeededRandom(seed * 7_919 + 13);
  return {
    seed,
    flows: random.between(4, 40),
    operations: random.between(20, 200),
    bulks: random.between(1, 6),
    eventDelay: random.pick([1, 500, 5_000]),
    dumpDelay: random.pick([1, 1_000, 20_000]),
  };
}

test('what ends or changes while bulks run is told for certain, without another bulk', async () => {
  const failures: unknown[] = [];
  for (let seed = 1; seed <= lives && failures.length < 3; seed++) {
    const options = optionsFor(seed);
    const { tooMuch, wrong } = await new BypassLife(options).run();
    if (tooMuch.length + wrong.length > 0) failures.push({ options, tooMuch, wrong });
  }
  expect(failures).toEqual([]);
});
