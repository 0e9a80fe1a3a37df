import { microseconds } from '../../src/base/time.js';
import { isoTime } from '../../src/base/isoTime.js';

test('microseconds become ISO 8601', () => {
  expect(isoTime(microseconds(1_500))).toBe('1970-01-01T00:00:00.001Z');
});
