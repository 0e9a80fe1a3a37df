import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemLoadPorts } from '../../src/config/systemPorts.js';

describe('files of this machine', () => {
  const { files } = systemLoadPorts({ machine: false });
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-config-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('a regular file is read', () => {
    const path = join(directory, 'node.conf');
    writeFileSync(path, 'General {\n}\n');
    expect(files.read(path)).toMatchObject({ kind: 'text', text: 'General {\n}\n' });
  });

  test('a pipe without writer, a device and a directory are refused at once', () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', directory]) {
      expect(files.read(path)).toEqual({ kind: 'unreadable', reason: 'not a regular file' });
    }
  });
});
