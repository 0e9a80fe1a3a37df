import { microseconds, seconds } from '../../../src/base/time.js';
import { differenceOf, isNewer, numberAt, NumberLine } from '../../../src/vrrp/auth/number.js';

const noon = seconds(1_764_590_400);
const after = (step: number): ReturnType<typeof seconds> => microseconds(noon + seconds(step));

test('a number is seconds since 1970, 1/65536 of a second and a counter', () => {
  expect(numberAt(microseconds(noon + 500_000))).toBe((1_764_590_400n << 32n) | (0x8000n << 16n));
});

test('the difference of two numbers is a time, and has a sign', () => {
  expect(differenceOf(numberAt(after(2.5)), numberAt(noon))).toBe(seconds(2.5));
  expect(differenceOf(numberAt(noon), numberAt(after(2.5)))).toBe(-2_500_000);
});

test('numbers are compared in serial arithmetic: they go on after the last of 64 bits', () => {
  expect(isNewer(0n, 0xffff_ffff_ffff_ffffn)).toBe(true);
  expect(isNewer(0xffff_ffff_ffff_ffffn, 0n)).toBe(false);
  expect(isNewer(5n, 5n)).toBe(false);
});

test('numbers follow the clock, and grow by one while it stands still or was set back', () => {
  const line = new NumberLine();
  const first = line.next(noon);
  expect(first).toBe(numberAt(noon));
  expect(line.next(noon)).toBe(first + 1n);
  expect(line.next(after(-3_600))).toBe(first + 2n);
  expect(line.next(after(1))).toBe(numberAt(after(1)));
});

test('after a restart a clock that goes right is used as it is', () => {
  const saved = numberAt(noon);
  expect(new NumberLine(saved).next(after(0.1))).toBe(numberAt(after(0.1)));
});

test('after a restart with a clock set back, what was sent since the last save is exceeded too', () => {
  const before = new NumberLine();
  const saved = before.next(noon);
  let last = saved;
  for (let step = 1; step <= 60; step++) last = before.next(after(step));
  const again = new NumberLine(saved);
  expect(again.last).toBe(saved);
  expect(isNewer(again.next(after(-86_400)), last)).toBe(true);
});

test('the last number of 64 bits is followed by the first', () => {
  const line = new NumberLine(0xffff_ffff_ffff_ff00n);
  const next = line.next(microseconds(0));
  expect(isNewer(next, 0xffff_ffff_ffff_ff00n)).toBe(true);
});
