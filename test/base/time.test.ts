import {
  centiseconds,
  microseconds,
  milliseconds,
  seconds,
  subtractSeconds,
  subtractTime,
  wholeSeconds,
} from '../../src/base/time.js';

test('units are microseconds', () => {
  expect([milliseconds(1), centiseconds(1), seconds(1)]).toEqual([1_000, 10_000, 1_000_000]);
});

test('what passed between two readings of a clock is never below zero', () => {
  expect(subtractTime(seconds(5), seconds(3))).toBe(2_000_000);
  expect(subtractTime(seconds(3), seconds(5))).toBe(0);
  expect(subtractSeconds(5, 3)).toBe(2);
  expect(subtractSeconds(3, 5)).toBe(0);
});

test('an instant belongs to the second that has begun', () => {
  expect(wholeSeconds(microseconds(1_999_999))).toBe(1);
});
