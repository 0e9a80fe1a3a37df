import type { Alarm } from '../../src/alert/alarm.js';
import { Courier, pauseAfter, type Delivery, type Place } from '../../src/alert/courier.js';
import { seconds, toSeconds, type Microseconds } from '../../src/base/time.js';
import { problemAlarm, roleAlarm } from '../support/alert/alarms.js';
import { ManualTime, settle } from '../support/base/manualTime.js';

const nowhere: Place = { done: 0, lost: 0, failures: 0 };
const refused: Delivery = { kind: 'refused', reason: 'it answers 500' };

function bench(place = nowhere, repeat?: Microseconds) {
  const time = new ManualTime();
  const told: Alarm[] = [];
  const attempts: number[] = [];
  const answers: Delivery[] = [];
  let notes = 0;
  const courier = new Courier(
    {
      timers: time,
      isWanted: (alarm) => alarm.kind !== 'takeover',
      note: () => notes++,
      deliver: (alarm) => {
        attempts.push(toSeconds(time.now()));
        const answer = answers.shift() ?? { kind: 'taken' as const };
        if (answer.kind === 'taken') told.push(alarm);
        return Promise.resolve(answer);
      },
    },
    place,
    repeat,
  );
  const numbers = (): number[] => told.map(({ sequence }) => sequence);
  return { time, told, numbers, attempts, answers, courier, notes: () => notes };
}

test('one after the other, each until it is taken', async () => {
  const { courier, answers, numbers, time } = bench();
  answers.push(refused, refused);
  for (let i = 1; i <= 4; i++) courier.offer(roleAlarm(i));
  await settle();
  expect(numbers()).toEqual([]);
  expect(courier.state).toEqual({
    ...{ waiting: 4, taken: 0, lost: 0, failures: 1 },
    reason: 'it answers 500',
  });
  await time.advance(seconds(60));
  expect(numbers()).toEqual([1, 2, 3, 4]);
  expect(courier.state).toEqual({ waiting: 0, taken: 4, lost: 0, failures: 0 });
  expect(courier.place).toEqual({ done: 4, lost: 0, failures: 0 });
});

test('pauses of 1, 2, 4, ... and at last 30 s', async () => {
  expect([1, 2, 3, 4, 5, 6, 7, 5_000].map((n) => toSeconds(pauseAfter(n)))).toEqual([
    ...[1, 2, 4, 8, 16, 30, 30, 30],
  ]);
  const { courier, answers, attempts, time } = bench();
  answers.push(refused, refused, refused);
  courier.offer(roleAlarm(1));
  await time.advance(seconds(60));
  const [first = 0, ...others] = attempts;
  expect(others.map((at) => at - first)).toEqual([1, 3, 7]);
});

test('the pauses go on over a restart, and the first attempt comes at once', async () => {
  const { courier, answers, attempts, time } = bench({ done: 0, lost: 0, failures: 4 });
  answers.push(refused);
  courier.offer(roleAlarm(1));
  await time.advance(seconds(60));
  expect(attempts).toEqual([1, 17]);
});

test('what was taken in an earlier life is not told again', async () => {
  const { courier, numbers } = bench({ done: 2, lost: 0, failures: 0 });
  for (let i = 1; i <= 4; i++) courier.offer(roleAlarm(i));
  // The same from a second source.
  courier.offer(roleAlarm(3));
  await settle();
  expect(numbers()).toEqual([3, 4]);
});

test('its place is noted after each alarm, and passes over what it does not take', async () => {
  const { courier, notes } = bench();
  courier.offer({ ...roleAlarm(1), kind: 'takeover' });
  courier.offer(roleAlarm(2));
  await settle();
  courier.offer({ ...roleAlarm(3), kind: 'takeover' });
  expect(courier.place.done).toBe(3);
  expect(courier.settled).toBe(3);
  expect(notes()).toBe(1);
});

test('what has no room is lost and counted; what is being told is not', async () => {
  const { courier, answers, numbers, time } = bench();
  answers.push(refused);
  for (let i = 1; i <= 6; i++) courier.offer(roleAlarm(i));
  // The first one is on its way.
  courier.drop(4);
  await settle();
  expect(courier.state).toMatchObject({ waiting: 3, lost: 3 });
  courier.drop(4);
  await time.advance(seconds(5));
  expect(numbers()).toEqual([5, 6]);
  expect(courier.place).toMatchObject({ done: 6, lost: 4 });
});

describe('a problem that goes on', () => {
  const states = (told: readonly Alarm[]): unknown[] =>
    told.map((alarm) => alarm.kind === 'problem' && [alarm.problem.state, alarm.problem.reminder]);

  test('is told again under its id until its end', async () => {
    const { courier, told, time } = bench(nowhere, seconds(10));
    courier.offer(problemAlarm(1));
    await time.advance(seconds(25));
    courier.offer(problemAlarm(2, { state: 'ended', beginning: 'id-1' }));
    await time.advance(seconds(60));
    expect(states(told)).toEqual([
      ['begun', undefined],
      ['goesOn', 1],
      ['goesOn', 2],
      ['ended', undefined],
    ]);
    expect(told.map(({ id }) => id)).toEqual(['id-1', 'id-1', 'id-1', 'id-2']);
    expect(courier.place.done).toBe(2);
  });

  test('is told once where repeat is not set', async () => {
    const { courier, told, time } = bench();
    courier.offer(problemAlarm(1));
    await time.advance(seconds(600));
    expect(told).toHaveLength(1);
  });

  test('is told again in the next life too, and only where its beginning was told', async () => {
    const { courier, told, time } = bench({ done: 5, lost: 0, failures: 0 }, seconds(10));
    courier.remind(problemAlarm(4));
    courier.remind(problemAlarm(6));
    await time.advance(seconds(15));
    expect(told.map(({ id }) => id)).toEqual(['id-4']);
    // An older alarm that is told again moves the place nowhere.
    expect(courier.place.done).toBe(5);
  });

  test('its end takes the reminders that wait with it', async () => {
    const { courier, answers, told, time } = bench(nowhere, seconds(10));
    courier.offer(problemAlarm(1));
    await settle();
    answers.push(refused, refused, refused, refused);
    courier.offer(roleAlarm(2));
    await time.advance(seconds(11));
    courier.offer(problemAlarm(3, { state: 'ended', beginning: 'id-1' }));
    await time.advance(seconds(120));
    expect(told.map(({ id }) => id)).toEqual(['id-1', 'id-2', 'id-3']);
  });
});

test('at the end what is being told has its answer, and nothing follows', async () => {
  const { courier, numbers, time } = bench(nowhere, seconds(10));
  courier.offer(problemAlarm(1));
  courier.offer(roleAlarm(2));
  await courier.finish();
  courier.offer(roleAlarm(3));
  await time.advance(seconds(60));
  expect(numbers()).toEqual([1]);
  expect(courier.place.done).toBe(1);
  expect(time.armed).toBe(0);
});

test('a sink that throws has refused', async () => {
  const time = new ManualTime();
  const courier = new Courier(
    {
      timers: time,
      isWanted: () => true,
      note: () => undefined,
      deliver: () => Promise.reject(new Error('boom')),
    },
    nowhere,
  );
  courier.offer(roleAlarm(1));
  await settle();
  expect(courier.state).toMatchObject({ failures: 1, reason: 'Error: boom' });
});
