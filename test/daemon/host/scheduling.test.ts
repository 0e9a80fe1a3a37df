import { schedule, threadIds } from '../../../src/daemon/host/scheduling.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

test('the threads of this process are known, and a refusal is a log line', () => {
  expect(threadIds().has(process.pid)).toBe(true);
  const logger = new RecordedLog();
  schedule(2 ** 22 + 1, { nice: 1 }, logger);
  expect(logger.lines).toEqual(['warning: the nice value cannot be set']);
});
