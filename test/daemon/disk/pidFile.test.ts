import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { PidFile } from '../../../src/daemon/disk/pidFile.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-pid-'));
  path = join(directory, 'keepalived.pid');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('holds the process id, readable for all, and goes at the end', () => {
  const file = PidFile.write(path, silentLogger);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  expect(statSync(path).mode & 0o133).toBe(0);
  file?.remove();
  expect(existsSync(path)).toBe(false);
});

test('a link that stands there is replaced, not followed', () => {
  const target = join(directory, 'target');
  writeFileSync(target, 'kept');
  symlinkSync(target, path);
  PidFile.write(path, silentLogger);
  expect(readFileSync(target, 'utf8')).toBe('kept');
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
});

test("another's file of that name stays, and none is needed to start", () => {
  const file = PidFile.write(path, silentLogger);
  const other = join(directory, 'other');
  writeFileSync(other, '1\n');
  renameSync(other, path);
  file?.remove();
  expect(readFileSync(path, 'utf8')).toBe('1\n');
  expect(PidFile.write('/proc/nowhere/x.pid', silentLogger)).toBeUndefined();
  expect(PidFile.write(undefined, silentLogger)).toBeUndefined();
});
