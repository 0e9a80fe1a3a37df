import { centiseconds, seconds } from '../../../src/base/time.js';
import {
  answerPeriod,
  masterDownTime,
  peersTimeout,
  skewTime,
} from '../../../src/vrrp/machine/timing.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

/** Microseconds as keepalived 2.2.7 prints them in its data dump. */
test.each([
  [255, 3_906, 3_003_906],
  [200, 218_750, 3_218_750],
  [100, 609_375, 3_609_375],
  [50, 804_687, 3_804_687],
  [25, 902_343, 3_902_343],
])('v2, 1 s: priority %i has skew %i and master-down %i us', (priority, skew, down) => {
  const pace = { effectivePriority: priority, masterAdvertInterval: seconds(1) };
  const settings = { version: 2, downTimerAdverts: 3 } as const;
  expect(skewTime(settings, pace)).toBe(skew);
  expect(masterDownTime(settings, pace)).toBe(down);
});

test.each([
  [255, 1_501_953],
  [200, 1_609_375],
  [100, 1_804_687],
  [50, 1_902_343],
  [25, 1_951_171],
])('v3, 0.5 s: priority %i has master-down %i us', (priority, down) => {
  const pace = { effectivePriority: priority, masterAdvertInterval: centiseconds(50) };
  expect(masterDownTime({ version: 3, downTimerAdverts: 3 }, pace)).toBe(down);
});

test('the skew of v2 does not depend on the interval', () => {
  const pace = { effectivePriority: 100, masterAdvertInterval: seconds(10) };
  expect(skewTime({ version: 2 }, pace)).toBe(609_375);
  expect(masterDownTime({ version: 2, downTimerAdverts: 3 }, pace)).toBe(30_609_375);
});

test('down_timer_adverts replaces the three intervals', () => {
  const pace = { effectivePriority: 100, masterAdvertInterval: seconds(1) };
  expect(masterDownTime({ version: 2, downTimerAdverts: 5 }, pace)).toBe(5_609_375);
});

test('peers are patient for three intervals and answers are a tenth of one apart', () => {
  const settings = instanceSettings({ advertInterval: seconds(2) });
  expect(peersTimeout(settings)).toBe(6_000_000);
  expect(answerPeriod(settings)).toBe(200_000);
});
