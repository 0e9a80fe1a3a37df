import { seconds, type Microseconds } from '../../../src/base/time.js';
import { CatchUp } from '../../../src/sync/remote/catchUp.js';

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

describe('with a keepstate peer', () => {
  test('an answered request completes nothing while the end of the bulk is to come', () => {
    const catchUp = new CatchUp();
    catchUp.begin(100);
    for (let second = 2; second < 200; second++) {
      expect(catchUp.tick(at(second), at(2), 0, true)).toBe(false);
    }
    expect([catchUp.answers(99), catchUp.answers(100)]).toEqual([false, true]);
    catchUp.bulkEnded();
    // The acknowledgement of the request may come behind the end.
    expect(catchUp.tick(at(201), at(201), 0, true)).toBe(false);
    expect(catchUp.isCaughtUp).toBe(true);
  });

  test('time decides from a second after it was heard last', () => {
    const catchUp = new CatchUp();
    catchUp.begin(100);
    expect(catchUp.tick(at(9), at(2), 0, true)).toBe(false);
    expect(catchUp.tick(at(9.9), at(2), 0, false)).toBe(false);
    expect(catchUp.tick(at(10), at(2), 0, false)).toBe(true);
    // Numbers of before are compared no more: they may have wrapped.
    expect(catchUp.answers(99)).toBe(true);
  });

  test('an end that never comes is not waited for for ever, whatever is asked meanwhile', () => {
    const catchUp = new CatchUp();
    catchUp.begin(100);
    const completed: number[] = [];
    for (let second = 2; second < 400; second++) {
      if (second === 200) catchUp.begin(200);
      if (catchUp.tick(at(second), at(2), 0, true)) completed.push(second);
    }
    expect(completed).toEqual([302]);
  });

  test('who asked long enough ago is told', () => {
    const catchUp = new CatchUp();
    expect(catchUp.isOverdue(at(100), seconds(6))).toBe(false);
    catchUp.tick(at(2), at(2), 0, true);
    expect([catchUp.isOverdue(at(7), seconds(6)), catchUp.isOverdue(at(8), seconds(6))]).toEqual([
      false,
      true,
    ]);
    catchUp.bulkEnded();
    expect(catchUp.isOverdue(at(9), seconds(6))).toBe(false);
  });
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
