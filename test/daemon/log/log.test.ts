/** The outputs of the log: none holds up or silences another, whatever happens to its file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import {
  formatLine,
  openLog,
  type LogRecord,
  type ProcessLog,
} from '../../../src/daemon/log/log.js';

const timers = new SystemTimers(systemClock);
let directory: string;
let path: string;
let stderr: string[];
let records: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-log-'));
  path = join(directory, 'log', 'keepstate.log');
  stderr = [];
  records = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

function open(): ProcessLog {
  const sink = new Writable({
    objectMode: true,
    write: (record: LogRecord, _encoding, done) => {
      records.push(record.message);
      done();
    },
  });
  return openLog({ level: 'info', timers, file: path, records: sink });
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
const lines = (file: string): number => readFileSync(file, 'utf8').trim().split('\n').length;

test('a line has time, level, a constant message and fields; what needs it is quoted', () => {
  const fields = { instance: 'VI', reason: 'priority 0', nothing: undefined, n: 3 };
  expect(formatLine('T', 'notice', 'Entering MASTER STATE', fields)).toBe(
    'T notice: Entering MASTER STATE instance=VI reason="priority 0" n=3',
  );
  expect(formatLine('T', 'error', 'two\nlines', { a: 'x\ny' })).toBe(
    'T error: two lines a="x\\ny"',
  );
});

test('a line goes to stderr, to the file, whose folder is made, and to syslog', async () => {
  const log = open();
  log.log('notice', 'Entering MASTER STATE', { instance: 'VI' });
  await log.close();
  const line = /^\S+Z notice: Entering MASTER STATE instance=VI\n$/;
  expect(readFileSync(path, 'utf8')).toMatch(line);
  expect(stderr).toEqual([expect.stringMatching(line)]);
  expect(records).toEqual(['Entering MASTER STATE']);
});

test('a file that cannot be written costs its lines, is said once, and is tried again', async () => {
  mkdirSync(path, { recursive: true });
  const log = open();
  for (let i = 0; i < 1_000; i++) log.log('info', `line ${i}`, { text: 'x'.repeat(100) });
  await settled();
  expect(records).toHaveLength(1_001);
  expect(stderr).toHaveLength(1_001);
  expect(stderr.filter((line) => line.includes('the log file cannot be written'))).toHaveLength(1);
  rmdirSync(path);
  log.log('info', 'there is room again');
  await log.close();
  expect(readFileSync(path, 'utf8')).toContain('there is room again');
});

test('a renamed file is opened anew', async () => {
  const log = open();
  log.log('info', 'one');
  await settled();
  renameSync(path, `${path}.1`);
  log.log('info', 'two');
  await settled();
  log.reopen();
  log.log('info', 'three');
  await log.close();
  expect([lines(`${path}.1`), lines(path)]).toEqual([2, 1]);
});

test('it closes although its file was never writable', async () => {
  mkdirSync(path, { recursive: true });
  const log = open();
  log.log('error', 'keepstate cannot start');
  await log.close();
  expect(stderr).toHaveLength(2);
});

test('a pipe in its place that nobody reads holds nothing up', async () => {
  mkdirSync(dirname(path));
  execFileSync('mkfifo', [path]);
  const log = open();
  log.log('info', 'one');
  await log.close();
  expect(stderr.filter((line) => line.includes('the log file cannot be written'))).toHaveLength(1);
});

test('for the journal each line has its priority in front', async () => {
  const log = openLog({ level: 'info', timers, stderr: 'priority' });
  log.log('error', 'a link cannot be opened');
  log.log('warning', 'the peer is lost');
  log.log('notice', 'Entering MASTER STATE', { instance: 'VI' });
  log.log('info', 'listening');
  await log.close();
  expect(stderr.map((line) => line.slice(0, 3))).toEqual(['<3>', '<4>', '<5>', '<6>']);
  // The journal has a time of its own.
  expect(stderr[2]).toBe('<5>notice: Entering MASTER STATE instance=VI\n');
});

describe('log_format json', () => {
  const fields = { instance: 'VI', n: 3 };
  const line = { level: 'notice', message: 'Entering MASTER STATE', fields };

  test('a line on stderr and in the file is one JSON object with its time', async () => {
    const log = openLog({ level: 'info', timers, file: path, format: 'json' });
    log.log('notice', 'Entering MASTER STATE', fields);
    await log.close();
    const printed = JSON.parse(stderr[0] ?? '') as { time: string };
    expect(printed).toEqual({ ...line, time: expect.stringMatching(/^\d{4}-.*Z$/) as string });
    expect(readFileSync(path, 'utf8')).toBe(stderr[0]);
  });

  test('the journal gets the object without a time, its priority in front', async () => {
    const log = openLog({ level: 'info', timers, stderr: 'priority', format: 'json' });
    log.log('notice', 'Entering MASTER STATE', fields);
    await log.close();
    expect(stderr[0]).toBe(`<5>${JSON.stringify(line)}\n`);
  });
});

test('what the journal gets by syslog does not go to stderr too', async () => {
  const sink = new Writable({
    objectMode: true,
    write: (record: LogRecord, _encoding, done) => {
      records.push(record.message);
      done();
    },
  });
  const log = openLog({ level: 'info', timers, stderr: 'none', records: sink });
  log.log('error', 'a link cannot be opened');
  await log.close();
  expect([stderr, records]).toEqual([[], ['a link cannot be opened']]);
});
