import { systemClock, SystemTimers } from '../../src/base/systemClock.js';
import { systemRandom } from '../../src/base/systemRandom.js';
import {
  addTime,
  centiseconds,
  microseconds,
  milliseconds,
  seconds,
  subtractTime,
  toMilliseconds,
  toSeconds,
  type Clock,
  type Microseconds,
} from '../../src/base/time.js';

describe('units of time', () => {
  test('state their numbers', () => {
    expect(seconds(1)).toBe(1_000_000);
    expect(centiseconds(1)).toBe(10_000);
    expect(milliseconds(1)).toBe(1_000);
    expect(microseconds(1.4)).toBe(1);
    expect(seconds(0.1) + seconds(0.2)).toBe(300_000);
    expect(toSeconds(seconds(3))).toBe(3);
    expect(toMilliseconds(milliseconds(3))).toBe(3);
    expect(addTime(seconds(1), milliseconds(1))).toBe(1_001_000);
    expect(subtractTime(seconds(1), milliseconds(1))).toBe(999_000);
  });
});

describe('the system clock', () => {
  test('is monotonic and whole; its wall clock is the date', () => {
    const first = systemClock.now();
    const second = systemClock.now();
    expect(second).toBeGreaterThanOrEqual(first);
    expect(Number.isSafeInteger(first)).toBe(true);
    expect(Math.abs(systemClock.wallClock() - Date.now() * 1_000)).toBeLessThan(60_000_000);
  });

  test('the two clocks keep their distance, so that an instant told twice is the same', () => {
    let [least, most] = [-Infinity, Infinity];
    for (let i = 0; i < 20_000; i++) {
      const [before, wall, after] = [systemClock.now(), systemClock.wallClock(), systemClock.now()];
      least = Math.max(least, wall - after);
      most = Math.min(most, wall - before);
    }
    // One distance lies between the bounds of every reading.
    expect(least).toBeLessThanOrEqual(most);
  });

  test('a thread that lost its processor between two readings has not seen the clock set', () => {
    const distance = (): number => systemClock.wallClock() - systemClock.now();
    const before = distance();
    const realNow = Date.now.bind(Date);
    const spy = jest.spyOn(Date, 'now').mockImplementation(() => {
      const [wall, until] = [realNow(), systemClock.now() + 60_000];
      while (systemClock.now() < until);
      return wall;
    });
    const duringDelay = distance();
    spy.mockImplementation(() => realNow() + 3_600_000);
    const afterStep = distance();
    spy.mockRestore();
    expect(Math.abs(duringDelay - before)).toBeLessThan(10_000);
    expect(Math.abs(afterStep - before - 3_600_000_000)).toBeLessThan(1_000_000);
  });

  test('a timer never fires early and tells when it was due', async () => {
    const timers = new SystemTimers();
    for (const delay of [0, 1_500, 7_300]) {
      const start = systemClock.now();
      const due = await new Promise<Microseconds>((resolve) => {
        timers.after(microseconds(delay), resolve);
      });
      expect(systemClock.now()).toBeGreaterThanOrEqual(due);
      expect(due - start).toBeGreaterThanOrEqual(delay);
    }
  });

  test('a timer that Node.js wakes too early waits for the rest', async () => {
    let now = 0;
    const clock: Clock = { now: () => microseconds(now), wallClock: () => microseconds(0) };
    let fired = false;
    new SystemTimers(clock).after(milliseconds(1), () => (fired = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fired).toBe(false);
    now = 1_000;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fired).toBe(true);
  });

  test('a cancelled timer stays silent, also when cancelled twice', async () => {
    const timers = new SystemTimers();
    let fired = false;
    const timer = timers.after(milliseconds(1), () => (fired = true));
    timer.cancel();
    timer.cancel();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fired).toBe(false);
  });

  test('random numbers stay below their limit and take each value', () => {
    const drawn = new Set(Array.from({ length: 500 }, () => systemRandom.below(4)));
    expect([...drawn].sort()).toEqual([0, 1, 2, 3]);
    expect(systemRandom.below(1)).toBe(0);
    expect(systemRandom.below(2 ** 32)).toBeLessThan(2 ** 32);
  });
});
