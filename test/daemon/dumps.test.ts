import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { putDump } from '../../src/daemon/dumps.js';
import { RecordedLog } from '../support/base/recordedLog.js';

let directory: string;
let log: RecordedLog;
const own = (): string => join(directory, 'run', 'keepalived.data');
const usual = (): string => join(directory, 'tmp', 'keepalived.data');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-dumps-'));
  for (const name of ['run', 'tmp']) mkdirSync(join(directory, name));
  log = new RecordedLog();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const dump = (text: string): void => putDump(text, [own(), usual()], log);

test('a dump stands in each place, for its owner alone, and leaves nothing else there', () => {
  dump('one');
  dump('two');
  for (const path of [own(), usual()]) {
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  }
  expect(readdirSync(join(directory, 'tmp'))).toEqual(['keepalived.data']);
});

test.each([
  ['a link to a file of root', () => symlinkSync(join(directory, 'victim'), usual())],
  ['a pipe', () => execFileSync('mkfifo', [usual()])],
  ['a device', () => symlinkSync('/dev/full', usual())],
])('%s in its place is replaced, never followed or opened', (_what, put) => {
  writeFileSync(join(directory, 'victim'), 'precious');
  put();
  dump('text');
  expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('precious');
  expect(lstatSync(usual()).isFile()).toBe(true);
  expect(readFileSync(usual(), 'utf8')).toBe('text');
});

test('what cannot be replaced costs that place alone, and is said', () => {
  mkdirSync(usual());
  dump('text');
  expect(readFileSync(own(), 'utf8')).toBe('text');
  expect(readdirSync(join(directory, 'tmp'))).toEqual(['keepalived.data']);
  expect(log.lines).toEqual(['info: dump written', 'warning: a dump cannot be written']);
});
