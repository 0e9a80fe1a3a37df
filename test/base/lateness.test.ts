import { Lateness } from '../../src/base/lateness.js';
import { milliseconds } from '../../src/base/time.js';

describe('lateness of a loop', () => {
  test('is nothing before the first sample', () => {
    expect(new Lateness(4).read()).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });

  test('tells median, 99th percentile and worst of its samples', () => {
    const lateness = new Lateness(100);
    for (let i = 1; i <= 100; i++) lateness.note(milliseconds(101 - i));
    expect(lateness.read()).toEqual({ p50Ms: 51, p99Ms: 100, maxMs: 100 });
  });

  test('forgets what is older than its samples', () => {
    const lateness = new Lateness(2);
    for (const late of [900, 3, 1]) lateness.note(milliseconds(late));
    expect(lateness.read().maxMs).toBe(3);
  });
});
