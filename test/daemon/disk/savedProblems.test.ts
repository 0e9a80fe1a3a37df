import { seconds } from '../../../src/base/time.js';
import type { ProblemRecord } from '../../../src/daemon/problemTable/record.js';
import { problem } from '../../../src/daemon/problemTable/table.js';
import { parseProblems } from '../../../src/daemon/disk/savedProblems.js';

test('problem records that are none are left out', () => {
  const good: ProblemRecord = {
    problem: problem('two-masters', 'G: both', { subject: 'G' }),
    begun: seconds(1_700_000_000),
    times: 1,
  };
  const bad = [
    ...[
      null,
      7,
      'x',
      {},
      { ...good, begun: -1 },
      { ...good, begun: 1e300 },
      { ...good, times: 'x' },
    ],
    ...[
      { ...good, problem: 3 },
      { ...good, problem: { ...good.problem, code: 'of-tomorrow' } },
    ],
    ...[{ ...good, problem: { ...good.problem, severity: 'fatal' } }],
    ...[{ ...good, problem: { ...good.problem, text: 'x'.repeat(2_000) } }],
  ];
  expect(parseProblems([...bad, good])).toEqual([good]);
  expect(parseProblems({})).toEqual([]);
  expect(parseProblems(Array.from({ length: 999 }, () => good))).toHaveLength(256);
});
