import { liveOnce } from '../../support/vrrp/lan.js';

/**
 * Two to four routers, a lone instance or a group of two, v2 and v3, preempt, nopreempt,
 * preempt_delay, owners, bound to a coordinator or not; loss, delay, duplication, partition, pause,
 * crash, stop, link faults, weights, hand-over. The invariants are in
 * test/support/vrrp/invariants.ts. A failure names the seed and the command that lives it again.
 */
const livesPerTest = 1_000;
const tests = process.env['KEEPSTATE_FULL'] === '1' ? 100 : 10;

test.each(Array.from({ length: tests }, (_, i) => i * livesPerTest + 1))(
  'a thousand random lives from seed %i end with one MASTER each',
  (first) => {
    let transitions = 0;
    for (let seed = first; seed < first + livesPerTest; seed++) {
      transitions += liveOnce(seed).transitions;
    }
    // Lives in which nothing happens would prove nothing.
    expect(transitions).toBeGreaterThan(3 * livesPerTest);
  },
  120_000,
);

test('the same seed gives the same life', () => {
  const lines = (): readonly string[] => {
    const recording: string[] = [];
    liveOnce(4711, (line) => recording.push(line));
    return recording;
  };
  expect(lines()).toEqual(lines());
});
