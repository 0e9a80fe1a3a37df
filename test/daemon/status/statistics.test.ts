import { seconds } from '../../../src/base/time.js';
import {
  statisticsProblems,
  statisticsStatus,
  type StatisticsView,
} from '../../../src/daemon/status/statistics.js';
import type { StatisticsOutput, StatisticsStatus } from '../../../src/sync/messages.js';

const now = seconds(1_000);
const file: StatisticsOutput = { kind: 'file', target: '/x', written: 7, lost: 0, waiting: 1 };
const logging: StatisticsStatus = { at: now, isLogging: true, logged: 8, outputs: [file] };
const view: StatisticsView = {
  statistics: logging,
  downBecause: undefined,
  listingPath: '/l',
  json: false,
};
const capture = {
  entries: 95,
  limit: 100,
  events: { received: 1, filtered: 0 },
  overruns: 2,
  resyncs: 3,
  netlinkBufferBytes: 4,
};

function codes(changes: Partial<StatisticsOutput>): string[] {
  const outputs = [{ ...file, ...changes }];
  const given = { ...view, statistics: { ...logging, outputs } };
  return statisticsProblems(given, now).map(({ code }) => code);
}

test('a log that goes well is no problem', () => {
  expect(codes({})).toEqual([]);
  expect(statisticsProblems({ ...view, json: true }, now)).toEqual([]);
});

test('a place that takes no lines is one after five seconds', () => {
  expect(codes({ failingSince: seconds(996), reason: 'ENOSPC' })).toEqual([]);
  expect(codes({ failingSince: seconds(994), reason: 'ENOSPC' })).toEqual([
    'statistics-not-written',
  ]);
});

test('lines that were lost are one for a minute', () => {
  expect(codes({ lost: 3, lostAt: seconds(950) })).toEqual(['statistics-not-written']);
  expect(codes({ lost: 3, lostAt: seconds(930) })).toEqual([]);
});

test('the text names the place, the cause and the number', () => {
  const outputs = [{ ...file, lost: 3, failingSince: seconds(1), reason: 'ENOSPC: full' }];
  const [found] = statisticsProblems({ ...view, statistics: { ...logging, outputs } }, now);
  expect(found?.text).toBe(
    'the log of ended connections (file /x): cannot be written: ENOSPC: full; 3 lines were lost',
  );
});

test('a full table of a node without Sync, and a dead worker, are problems', () => {
  const full = { ...view, statistics: { ...logging, capture } };
  expect(statisticsProblems(full, now).map(({ code, severity }) => [code, severity])).toEqual([
    ['table-full', 'warning'],
  ]);
  const down = { downBecause: 'exit 1', listingPath: '/l', json: false };
  expect(statisticsProblems(down, now).map(({ code }) => code)).toEqual(['statistics-down']);
});

test('the status says where lines go and what became of them', () => {
  expect(statisticsStatus({ ...view, statistics: { ...logging, capture } }, now)).toEqual({
    state: 'logging',
    format: 'conntrackd',
    logged: 8,
    outputs: [file],
    ...capture,
    listingPath: '/l',
  });
  const outputs = [{ ...file, failingSince: seconds(990), reason: 'r' }];
  const failing = { ...view, statistics: { ...logging, isLogging: false, outputs } };
  expect(statisticsStatus(failing, now)).toMatchObject({
    state: 'standby',
    outputs: [{ failingForMs: 10_000, because: 'r' }],
  });
  const starting = { downBecause: undefined, listingPath: '/l', json: false };
  expect(statisticsStatus(starting, now).state).toBe('starting');
  expect(statisticsStatus({ ...starting, downBecause: 'x' }, now).state).toBe('down');
});
