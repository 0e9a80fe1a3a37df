import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockNamespace } from '../../../src/daemon/disk/namespaceLock.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

describe('the lock of a network namespace', () => {
  let directory: string;
  let log: RecordedLog;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-namespace-'));
    log = new RecordedLog();
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('is held by one daemon, named after the namespace, and gone with it', () => {
    const lock = lockNamespace(log, directory);
    const inode = statSync('/proc/self/ns/net').ino;
    expect(readdirSync(directory)).toEqual([`network-namespace-${inode}.lock`]);
    expect(() => lockNamespace(log, directory)).toThrow(
      `another keepstate (process ${process.pid}) runs in this network namespace`,
    );
    lock?.release();
    expect(readdirSync(directory)).toEqual([]);
    lockNamespace(log, directory)?.release();
  });

  test('that cannot be had is logged, and does not keep a firewall from starting', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(lockNamespace(log, join(file, 'below'))).toBeUndefined();
    expect(log.lines).toEqual([expect.stringContaining('would not be noticed') as string]);
    expect(existsSync(file)).toBe(true);
  });
});
