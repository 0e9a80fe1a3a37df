import { seconds, type Microseconds } from '../../src/base/time.js';
import type { LogFields } from '../../src/base/logger.js';
import { FailureLog } from '../../src/sync/failureLog.js';

test('a storm of failures is one line at once, and one in ten seconds with their number', () => {
  let now: Microseconds = seconds(0);
  const lines: LogFields[] = [];
  const log = new FailureLog('refused', {
    clock: { now: () => now, wallClock: () => now },
    logger: { log: (_level, _message, fields = {}) => lines.push(fields) },
  });
  for (let i = 0; i < 1_000; i++) log.note(12);
  now = seconds(10);
  log.note(12);
  expect(lines).toMatchObject([
    { failed: 1, errno: 12 },
    { failed: 1_000, errno: 12 },
  ]);
});
