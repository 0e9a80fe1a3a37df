import type { ProblemAlarm } from '../../../src/alert/alarm.js';
import { readAlarm } from '../../../src/alert/alarm.js';
import { seconds, type Microseconds } from '../../../src/base/time.js';
import type { HistoryEvent, Problem } from '../../../src/control/statusAnswer.js';
import { AlarmBook } from '../../../src/daemon/alerts/alarmBook.js';
import { ProblemLog } from '../../../src/daemon/status/problemLog.js';
import type { ProblemRecord } from '../../../src/daemon/problemTable/record.js';
import { problem } from '../../../src/daemon/problemTable/table.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { SeededRandom } from '../../support/base/seededRandom.js';

const event: HistoryEvent = {
  at: '2026-01-01T00:00:05.000Z',
  ...{ name: 'A', kind: 'instance', from: 'BACKUP', to: 'MASTER', because: 'nobody was heard' },
  phase: 'changed',
};

function bench(last = 0, going: readonly ProblemAlarm[] = []) {
  const time = new ManualTime();
  const book = new AlarmBook(
    { clock: time, random: new SeededRandom(7), node: () => 'fw1' },
    last,
    going,
  );
  return { time, book };
}

function record(more: Partial<Problem> = {}, ended?: Microseconds): ProblemRecord {
  const found: Problem = { severity: 'warning', code: 'late', text: 't', remedy: 'r', ...more };
  return {
    problem: found,
    begun: seconds(1_767_225_601),
    ...(ended === undefined ? {} : { ended }),
    times: 1,
  };
}

const told = (alarms: readonly unknown[]): unknown[] =>
  (alarms as ProblemAlarm[]).map(({ problem: { state, code, subject, severity } }) =>
    [state, code, subject ?? '', severity].join(' ').replace('  ', ' '),
  );

test('a transition, and its completion with what it brought', () => {
  const { book } = bench(41);
  const role = book.role(event);
  expect(role).toEqual({
    version: 1,
    id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    sequence: 42,
    node: 'fw1',
    at: event.at,
    text: 'fw1: instance A is MASTER, it was BACKUP: nobody was heard',
    kind: 'role',
    role: {
      ...{ name: 'A', kind: 'instance', from: 'BACKUP', to: 'MASTER' },
      because: 'nobody was heard',
    },
  });
  const done = book.role({ ...event, flowsCommitted: 7, takeoverMs: 3, phase: 'completed' });
  expect(done).toMatchObject({
    sequence: 43,
    at: '2026-01-01T00:00:01.000Z',
    kind: 'takeover',
    text: 'fw1: the change of instance A from BACKUP to MASTER is complete (flowsCommitted 7, takeoverMs 3)',
    role: { figures: { flowsCommitted: 7, takeoverMs: 3 } },
  });
  expect(done.id).not.toBe(role.id);
});

test('what it makes is read back as itself', () => {
  const { book } = bench();
  const alarms = [book.role(event), ...book.problems([record()]), ...book.problems([])];
  for (const alarm of alarms) expect(readAlarm(JSON.parse(JSON.stringify(alarm)))).toEqual(alarm);
  for (const wrong of [7, null, [], {}, { ...alarms[0], sequence: 0 }, { ...alarms[0], kind: 'x' }])
    expect(readAlarm(wrong)).toBeUndefined();
});

test('the beginning and the end of a problem, each once', () => {
  const { book } = bench();
  const [begun, ...others] = book.problems([record({ subject: 'lan' })]);
  expect(others).toEqual([]);
  expect(begun).toMatchObject({
    text: 'fw1: warning: t',
    problem: { state: 'begun', begun: '2026-01-01T00:00:01.000Z', beginning: begun?.id },
  });
  expect(book.problems([record({ subject: 'lan', text: 'it tells more now' })])).toEqual([]);
  const [ended] = book.problems([record({ subject: 'lan' }, seconds(1_767_225_700))]);
  expect(ended).toMatchObject({
    text: 'fw1: over: t',
    problem: { state: 'ended', ended: '2026-01-01T00:01:40.000Z', beginning: begun?.id },
  });
  expect(ended?.id).not.toBe(begun?.id);
  expect(book.problems([record({ subject: 'lan' }, seconds(1_767_225_700))])).toEqual([]);
  expect(book.going).toEqual([]);
});

test('two subjects of one code are two problems', () => {
  const { book } = bench();
  expect(told(book.problems([record({ subject: 'a' }), record({ subject: 'b' })]))).toEqual([
    'begun late a warning',
    'begun late b warning',
  ]);
  expect(told(book.problems([record({ subject: 'b' })]))).toEqual(['ended late a warning']);
});

test('a warning that becomes an error begins anew, for those whom only errors wake', () => {
  const { book } = bench();
  book.problems([record()]);
  const worse = record({ severity: 'error' });
  expect(told(book.problems([worse]))).toEqual(['ended late warning', 'begun late error']);
  expect(book.problems([record()])).toEqual([]);
  expect(told(book.problems([]))).toEqual(['ended late error']);
});

describe('a restart', () => {
  function before(): readonly ProblemAlarm[] {
    const { book } = bench();
    book.problems([record()]);
    return book.going;
  }

  test('tells nothing of what goes on, and its end under the beginning of before', () => {
    const going = before();
    const { book } = bench(9, going);
    expect(book.problems([record()])).toEqual([]);
    expect(book.problems([])).toMatchObject([
      { sequence: 10, problem: { state: 'ended', beginning: going[0]?.id } },
    ]);
  });

  test('that lost the records waits 15 s for what a fresh daemon cannot see yet', async () => {
    const { book, time } = bench(9, before());
    expect(book.problems([])).toEqual([]);
    await time.advance(seconds(14));
    expect(book.problems([])).toEqual([]);
    expect(book.problems([record()])).toEqual([]);
    // It was seen, and is gone.
    expect(told(book.problems([]))).toEqual(['ended late warning']);
    const late = bench(9, before());
    await late.time.advance(seconds(16));
    expect(told(late.book.problems([]))).toEqual(['ended late warning']);
  });
});

test('what the problem log forgets of the past has been told', () => {
  const { book, time } = bench();
  const log = new ProblemLog([], time.now());
  const look = (...codes: readonly ('late' | 'send')[]): unknown[] => {
    const findings = codes.map((code) => problem(code, code));
    log.observe(findings, time.now(), time.wallClock());
    time.stall(seconds(1_900));
    return told(book.problems(log.records));
  };
  expect(look('late')).toEqual(['begun late warning']);
  expect(look('late', 'send')).toEqual(['begun send warning']);
  expect(look()).toEqual(['ended late warning', 'ended send warning']);
  expect(look()).toEqual([]);
  expect(look('send')).toEqual(['begun send warning']);
});
