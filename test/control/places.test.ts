import { Places } from '../../src/control/places.js';

test('one user has a few places, and leaves the rest to others', () => {
  const places = new Places<number>({ all: 5, each: 2 });
  expect([1, 2, 3].map((holder) => places.take(holder, 1_000))).toEqual([true, true, false]);
  expect([4, 5, 6].map((holder) => places.take(holder, 1_001))).toEqual([true, true, false]);
  expect([7, 8].map((holder) => places.take(holder, undefined))).toEqual([true, false]);
  expect(places.taken).toBe(5);
});

test('a place that is released is free again, for whoever comes', () => {
  const places = new Places<number>({ all: 1 });
  expect(places.take(1, 1_000)).toBe(true);
  expect(places.take(2, 1_001)).toBe(false);
  places.release(1);
  places.release(1);
  expect(places.take(2, 1_001)).toBe(true);
});
