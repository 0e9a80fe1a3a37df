import {
  chmodSync,
  chownSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecretFile, readSecretFile, whyNotSecret } from '../../src/base/secretFile.js';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-secret-'));
  path = join(folder, 'key');
  createSecretFile(path, 'hex:00');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const reasonOf = (): string => {
  const file = readSecretFile(path);
  expect(whyNotSecret(path)).toBe(file.kind === 'unreadable' ? file.reason : undefined);
  return file.kind === 'unreadable' ? file.reason : file.kind;
};

test('a new file has mode 0600 and is read', () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readSecretFile(path)).toEqual({ kind: 'text', text: 'hex:00', isCut: false });
  expect(whyNotSecret(path)).toBeUndefined();
});

test('a file that is there is never overwritten', () => {
  expect(() => createSecretFile(path, 'hex:01')).toThrow('EEXIST');
});

test.each([
  [0o640, '0640'],
  [0o604, '0604'],
  [0o610, '0610'],
])('mode %i is refused', (mode, text) => {
  chmodSync(path, mode);
  expect(reasonOf()).toBe(`its mode is ${text}: others can use it`);
});

test('mode 0400, as credentials of systemd have it, is right', () => {
  chmodSync(path, 0o400);
  expect(reasonOf()).toBe('text');
});

test('a file of another user is refused', () => {
  chownSync(path, 65_534, 0);
  expect(reasonOf()).toBe('it belongs to user 65534, not to root');
});

test('a link is not followed, and a pipe not opened', () => {
  const target = join(folder, 'target');
  writeFileSync(target, 'hex:00', { mode: 0o600 });
  rmSync(path);
  symlinkSync(target, path);
  expect(reasonOf()).toBe('a symbolic link');
  rmSync(path);
  execFileSync('mkfifo', ['-m', '600', path]);
  expect(reasonOf()).toBe('not a regular file');
});

test('a file without end is not read', () => {
  writeFileSync(path, 'x'.repeat(100_000));
  expect(readSecretFile(path)).toEqual({ kind: 'unreadable', reason: 'longer than 1024 bytes' });
});

test('no file is missing', () => {
  rmSync(path);
  expect(readSecretFile(path)).toEqual({ kind: 'missing' });
  expect(whyNotSecret(path)).toBeUndefined();
});
