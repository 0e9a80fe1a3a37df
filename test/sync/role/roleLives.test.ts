/**
 * Five thousand random lives of the role machine: commands, reports, restarts of the engine and of
 * the peer in any order.
 */
import { RandomRoleLife } from '../../support/sync/roleLife.js';

const livesPerTest = 500;
const eventsPerLife = 60;

test.each(Array.from({ length: 10 }, (_, i) => i * livesPerTest + 1))(
  'five hundred lives from seed %i come to rest, with the last role, and purge nothing that no MASTER holds',
  (first) => {
    const total = { purges: 0, takeovers: 0, restarts: 0 };
    for (let seed = first; seed < first + livesPerTest; seed++) {
      const { violations, purges, takeovers, restarts } = new RandomRoleLife(seed).run(
        eventsPerLife,
      );
      expect({ seed, violations }).toEqual({ seed, violations: [] });
      total.purges += purges;
      total.takeovers += takeovers;
      total.restarts += restarts;
    }
    // Lives in which nothing happens would prove nothing.
    expect(total.purges).toBeGreaterThan(livesPerTest / 10);
    expect(total.takeovers).toBeGreaterThan(livesPerTest / 10);
    expect(total.restarts).toBeGreaterThan(livesPerTest);
  },
);

test('the same seed gives the same life', () => {
  const life = (): unknown => new RandomRoleLife(4_711).run(eventsPerLife);
  expect(life()).toEqual(life());
});
