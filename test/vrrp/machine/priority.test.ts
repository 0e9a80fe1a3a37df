import {
  effectivePriority,
  isTrackerFault,
  trackerContribution,
} from '../../../src/vrrp/machine/priority.js';

test.each([
  [100, [20, -30], 90],
  [100, [200], 254],
  [100, [-253], 1],
  [255, [-100], 255],
])('priority %i with %j is %i', (base, values, expected) => {
  const contributions = values.map((value, i) => ({ tracker: `t${i}`, value }));
  expect(effectivePriority(base, contributions)).toBe(expected);
});

test.each([
  [10, false, true, 10],
  [10, false, false, 0],
  [10, true, true, 0],
  [10, true, false, 10],
  [-10, false, true, 0],
  [-10, false, false, -10],
  [-10, true, true, -10],
  [-10, true, false, 0],
  [0, false, false, 0],
])('weight %i reversed %s good %s contributes %i', (weight, reversed, good, expected) => {
  expect(trackerContribution(weight, reversed, good)).toBe(expected);
});

test('an unweighted tracker is a fault while bad, a reversed one while good', () => {
  expect(isTrackerFault(0, false, false)).toBe(true);
  expect(isTrackerFault(0, false, true)).toBe(false);
  expect(isTrackerFault(0, true, true)).toBe(true);
  expect(isTrackerFault(0, true, false)).toBe(false);
  expect(isTrackerFault(5, false, false)).toBe(false);
});
