import { seconds, type Microseconds } from '../../src/base/time.js';
import { CatchUp } from '../../src/sync/catchUp.js';

const at = (value: number): Microseconds => seconds(value);

test('a bulk of conntrackd is complete when its RESYNC was answered and nothing was missing for a second', () => {
  const catchUp = new CatchUp();
  catchUp.begin();
  expect(catchUp.tick(at(1), undefined, 0)).toBe(false);
  expect(catchUp.tick(at(2), at(2), 0)).toBe(false);
  expect(catchUp.tick(at(2.9), at(2), 5)).toBe(false);
  expect(catchUp.tick(at(3.5), at(2), 5)).toBe(false);
  expect(catchUp.tick(at(4), at(2), 5)).toBe(true);
  expect(catchUp.isCaughtUp).toBe(true);
  expect(catchUp.tick(at(5), at(2), 5)).toBe(false);
});

test('a keepstate peer says so itself, once', () => {
  const catchUp = new CatchUp();
  catchUp.begin();
  expect(catchUp.bulkEnded()).toBe(true);
  expect(catchUp.bulkEnded()).toBe(false);
  catchUp.begin();
  expect(catchUp.isCaughtUp).toBe(false);
});

describe('ALARM', () => {
  const period = seconds(3);

  test('the table is complete when the peer had time to repeat all of it', () => {
    const catchUp = new CatchUp();
    catchUp.awaitRepetition(at(1), period);
    expect(catchUp.repetition(at(2), at(2), period)).toBe(false);
    expect(catchUp.repetition(at(4.9), at(4), period)).toBe(false);
    expect(catchUp.repetition(at(5), at(4), period)).toBe(true);
    expect(catchUp.repetition(at(6), at(4), period)).toBe(false);
  });

  test('the time begins when the peer is heard', () => {
    const catchUp = new CatchUp();
    catchUp.awaitRepetition(at(1), period);
    expect(catchUp.repetition(at(60), undefined, period)).toBe(false);
    expect(catchUp.repetition(at(61), at(61), period)).toBe(false);
    expect(catchUp.repetition(at(64), at(64), period)).toBe(true);
  });

  test('in the other modes time alone completes nothing', () => {
    const catchUp = new CatchUp();
    catchUp.begin();
    expect(catchUp.repetition(at(1_000), at(999), period)).toBe(false);
  });
});
