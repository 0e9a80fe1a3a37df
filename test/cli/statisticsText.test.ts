import { statisticsText } from '../../src/cli/statisticsText.js';
import type { StatisticsAnswer } from '../../src/control/statusAnswer.js';

const look = { columns: 200, colour: false } as Parameters<typeof statisticsText>[1];
const file = { kind: 'file', target: '/x', written: 7, lost: 0, waiting: 0 } as const;
const logging: StatisticsAnswer = {
  state: 'logging',
  format: 'conntrackd',
  logged: 7,
  outputs: [file],
};

test('where lines go, how many, and what is known', () => {
  expect(statisticsText({ ...logging, entries: 3, limit: 9 }, look)).toBe(
    [
      'STATISTICS logging',
      '  logged       7 ended connections, format conntrackd',
      '  file         /x, 7 lines written',
      '  known        3 flows of 9',
    ].join('\n'),
  );
});

test('what is lost, what waits and why stands in capitals', () => {
  const outputs = [{ ...file, lost: 2, waiting: 5, failingForMs: 61_000, because: 'ENOSPC' }];
  expect(statisticsText({ ...logging, outputs }, look)).toContain(
    '/x, 7 lines written, 5 waiting, 2 LOST, CANNOT BE WRITTEN for 1 min 1 s: ENOSPC',
  );
});

test('a standby names who logs, and a log without a place says so', () => {
  expect(statisticsText({ ...logging, state: 'standby' }, look)).toContain(
    'STATISTICS standby: the MASTER logs them',
  );
  expect(statisticsText({ ...logging, outputs: [] }, look)).toContain('neither LogFile nor Syslog');
});
