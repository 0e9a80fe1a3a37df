import { fitRows } from '../../src/cli/fitRows.js';
import { clipPainted, screenLookOf } from '../../src/cli/terminal.js';
import { barsOf, ratesBetween } from '../../src/cli/topRates.js';
import { topText, type TopView } from '../../src/cli/topText.js';
import { now, sampleStatus } from './statusSample.js';

const look = { colour: false, columns: 80, rows: 24 };
const takeover = {
  at: '2026-03-01T11:56:55.123Z',
  name: 'G1',
  kind: 'group',
  from: 'BACKUP',
  to: 'MASTER',
  because: 'no advertisement for 3.6 s',
  takeoverMs: 78,
} as const;
const view: TopView = {
  status: sampleStatus,
  rates: {
    eventsPerSecond: 1_234,
    sentBytesPerSecond: 90_000,
    receivedBytesPerSecond: 12,
    adverts: { INT: { sent: 1, heard: 0 } },
  },
  eventRates: [0, 617, 1_234],
  history: [takeover],
};

test('the screen: who is MASTER, what is wrong, and each part, in 24 rows of 80 columns', () => {
  const text = topText(view, now, look);
  const lines = text.split('\n');
  expect(lines[0]).toMatch(/^fw1 is MASTER since 2026-03-01 11:56:55 UTC/);
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  for (const part of [
    'WARNING table-full (1 min): the external table is 91 % full',
    'INT       MASTER  3 min 5 s  eth1 11    90    1/2   1.0 out, 0.0 in',
    'SYNC synchronised, FTFW, parity equal, fw2 heard 0.2 s ago',
    '  flows   kernel 1260, internal 1200 of 131072, external 120000 of 131072',
    '  events  1234/s ▁▅█',
    '  links   90 kB/s out, 12 B/s in; 12 waiting, 3 lost, 1 overruns',
    'G1    BACKUP -> MASTER  78 ms',
  ]) {
    expect(text).toContain(part);
  }
});

test('many instances leave room for the parts below them', () => {
  const [one] = sampleStatus.instances;
  if (one === undefined) throw new Error('the sample has instances');
  const instances = Array.from({ length: 500 }, (_, i) => ({ ...one, name: `V${i}` }));
  const lines = topText({ ...view, status: { ...sampleStatus, instances } }, now, look).split('\n');
  expect(lines).toHaveLength(24);
  expect(lines[0]).toContain('fw1 is MASTER');
  expect(lines.find((line) => /^ {2}… \d+ more$/.test(line))).toBeDefined();
  expect(lines.some((line) => line.startsWith('SYNC'))).toBe(true);
  expect(lines.at(-1)).toMatch(/^keepstate 0\.1\.0, process 4711/);
});

test.each([1, 2, 3, 7, 12])('with %d rows the first line stays', (rows) => {
  const lines = topText(view, now, { ...look, rows }).split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  expect(lines[0]).toContain('fw1 is MASTER');
});

test('names of others move no cursor', () => {
  const history = [{ ...takeover, because: '\u001b[2Jgone' }];
  expect(topText({ ...view, history }, now, look)).not.toContain('\u001b');
});

test('a node without sync, targets and history', () => {
  const { sync, ...status } = sampleStatus;
  expect(sync).toBeDefined();
  const text = topText({ ...view, status, history: [] }, now, look);
  expect(text).not.toMatch(/SYNC|CHANGED/);
});

describe('rates', () => {
  const seen = (received: number, at: number) => ({
    status: {
      ...sampleStatus,
      sync: { ...sampleStatus.sync!, events: { ...sampleStatus.sync!.events, received } },
    },
    at,
  });

  test('are what passed between two answers, per second', () => {
    const { eventsPerSecond, sentBytesPerSecond } = ratesBetween(seen(10, 0), seen(30, 2_000));
    expect([eventsPerSecond, sentBytesPerSecond]).toEqual([10, 0]);
  });

  test('of a first answer, of a counter that began anew and of no time are unknown', () => {
    for (const [before, after] of [
      [undefined, seen(1, 0)],
      [seen(30, 0), seen(3, 1_000)],
      [seen(3, 1_000), seen(30, 1_000)],
      [seen(3, 2_000), seen(30, 1_000)],
    ] as const) {
      expect(ratesBetween(before, after).eventsPerSecond).toBeUndefined();
    }
  });

  test('are bars up to the highest', () => {
    expect(barsOf([0, 4, 8])).toBe('▁▅█');
    expect(barsOf([0, 0])).toBe('▁▁');
    expect(barsOf([])).toBe('');
  });
});

describe('rows that are too few', () => {
  const lines = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${name}${i}`);

  test('are taken from the longest part, which says so', () => {
    const shown = fitRows(
      [
        { lines: lines('a', 2), least: 2 },
        { lines: lines('b', 10), least: 2 },
        { lines: [], least: 1 },
        { lines: lines('c', 3), least: 1 },
      ],
      11,
    );
    expect(shown).toEqual([
      ...['a0', 'a1', '', 'b0', 'b1', 'b2', '  … 7 more', '', 'c0', 'c1', 'c2'],
    ]);
  });

  test('what has room is whole', () => {
    expect(fitRows([{ lines: ['a'], least: 1 }], 24)).toEqual(['a']);
  });
});

describe('a screen', () => {
  test('has its real size, and a usual one where it tells none', () => {
    expect(screenLookOf({ columns: 40, rows: 10 }, {})).toEqual({
      ...{ columns: 40, rows: 10, colour: true },
    });
    expect(screenLookOf({ columns: 0, rows: 0 }, { NO_COLOR: '' })).toEqual({
      ...{ columns: 80, rows: 24, colour: false },
    });
  });

  test('cuts lines at its width, not at their colours', () => {
    const line = '\u001b[32mMASTER\u001b[0m and more';
    expect(clipPainted(line, 15)).toBe(line);
    expect(clipPainted(line, 10)).toBe('\u001b[32mMASTER\u001b[0m an…\u001b[0m');
    expect(clipPainted(line, 4)).toBe('\u001b[32mMAS…\u001b[0m');
    expect(clipPainted('plain text', 4)).toBe('pla…');
  });
});
