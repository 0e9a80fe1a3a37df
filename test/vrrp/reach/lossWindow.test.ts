import { milliseconds, seconds } from '../../../src/base/time.js';
import { LossWindow } from '../../../src/vrrp/reach/lossWindow.js';

test('nothing is known at first', () => {
  expect(new LossWindow().view(seconds(5))).toEqual({ answered: 0, lost: 0 });
});

test('last, median and worst round trip, and what was lost', () => {
  const window = new LossWindow();
  for (const [i, ms] of [5, 1, 9, 3].entries()) window.add(seconds(i), milliseconds(ms));
  window.add(seconds(4), undefined);
  expect(window.view(seconds(5))).toEqual({
    answered: 4,
    lost: 1,
    roundTrip: { last: milliseconds(3), median: milliseconds(3), worst: milliseconds(9) },
  });
});

test('what is older than a minute does not count', () => {
  const window = new LossWindow();
  window.add(seconds(0), undefined);
  window.add(seconds(30), milliseconds(2));
  expect(window.view(seconds(61))).toMatchObject({ answered: 1, lost: 0 });
  expect(window.view(seconds(91))).toEqual({ answered: 0, lost: 0 });
});

test('holds a minute of the fastest interval, and no more', () => {
  const window = new LossWindow();
  for (let i = 0; i < 900; i++) window.add(milliseconds(100 * i), milliseconds(1));
  expect(window.view(milliseconds(89_900)).answered).toBe(600);
});
