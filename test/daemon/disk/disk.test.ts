import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBootId, systemDisk } from '../../../src/daemon/disk/disk.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-disk-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const textOf = (path: string): string | undefined => {
  const file = systemDisk.read(path, { bytes: 100 });
  return file.kind === 'text' ? file.text : undefined;
};

test('what is written stands under its name, in folders that are made for it', async () => {
  const path = join(directory, 'a', 'b');
  systemDisk.replace(path, 'one', { durable: true });
  expect(textOf(path)).toBe('one');
  systemDisk.append(path, ' more');
  expect(textOf(path)).toBe('one more');
  await systemDisk.replaceLater(path, 'two', () => false);
  expect(textOf(path)).toBe('two');
  await systemDisk.replaceLater(path, 'stale', () => true);
  expect(textOf(path)).toBe('two');
  expect(systemDisk.read(join(directory, 'none'), { bytes: 9 })).toEqual({ kind: 'missing' });
});

test('a name is created once, and nothing is left of the second try', () => {
  const path = join(directory, 'c', 'owner');
  expect(systemDisk.createOnce(path, 'first')).toBe(true);
  expect(systemDisk.createOnce(path, 'second')).toBe(false);
  expect(textOf(path)).toBe('first');
  expect(readdirSync(join(directory, 'c'))).toEqual(['owner']);
});

test('the boot has one name, and a kernel that tells none gives none', () => {
  expect(systemDisk.bootId()).toBe(readBootId());
  expect(readBootId(join(directory, 'none'))).toBeUndefined();
});
