import { seconds, toSeconds } from '../../../../src/base/time.js';
import { SendTimes } from '../../../../src/sync/stream/queues/sendTimes.js';

const age = (times: SendTimes, sequence: number, at: number): number | undefined => {
  const given = times.age(sequence, seconds(at));
  return given === undefined ? undefined : toSeconds(given);
};

test('a number is at most as old as the last note before it', () => {
  const times = new SendTimes();
  times.note(100, undefined, seconds(1));
  times.note(150, 100, seconds(2));
  times.note(200, 100, seconds(3));
  expect(age(times, 100, 4)).toBe(3);
  expect(age(times, 149, 4)).toBe(3);
  expect(age(times, 150, 4)).toBe(2);
  expect(age(times, 210, 4)).toBe(1);
  expect(age(times, 99, 4)).toBeUndefined();
});

test('numbers wrap', () => {
  const times = new SendTimes();
  times.note(0xffff_fff0, undefined, seconds(1));
  times.note(5, 0xffff_fff0, seconds(2));
  expect(age(times, 0xffff_ffff, 3)).toBe(2);
  expect(age(times, 6, 3)).toBe(1);
});

test('what rests ages nothing: the next number is as old as the last note', () => {
  const times = new SendTimes();
  for (let i = 1; i <= 60; i++) times.note(100, undefined, seconds(i));
  expect(age(times, 100, 61)).toBe(1);
});

test('a peer that is silent for long costs no memory without end, and the age stays true', () => {
  const times = new SendTimes();
  times.note(1, undefined, seconds(1));
  for (let i = 2; i <= 10_000; i++) times.note(i, 1, seconds(i));
  expect(age(times, 1, 10_000)).toBe(9_999);
  expect(age(times, 9_999, 10_000)).toBeLessThanOrEqual(100);
});
