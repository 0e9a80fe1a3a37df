import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import { readBootId } from '../../../src/daemon/disk/disk.js';
import { mastersWithin, nothingSaved, StateFile } from '../../../src/daemon/disk/stateFile.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('state file', () => {
  test('is read back; anything else means that nothing is known', () => {
    const path = join(directory, 'run', 'role.json');
    const file = new StateFile(path, silentLogger, { loss: 'all', durable: true });
    expect(file.read()).toEqual(nothingSaved);
    const state = { bootId: 'b', maintenance: true, units: { G1: microseconds(5) } };
    file.write(state);
    expect(file.read()).toEqual(state);
    for (const text of ['', '{', '7', 'null', '{"units":{"G1":"x"}}']) {
      writeFileSync(path, text);
      expect(file.read()).toEqual(nothingSaved);
    }
  });

  test.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ])('%s in its place counts as absent, is said once, and is replaced', (_what, put) => {
    const path = join(directory, 'role.json');
    put(path);
    const log = new RecordedLog();
    const file = new StateFile(path, log, { loss: 'all', durable: false });
    expect(file.read()).toEqual(nothingSaved);
    expect(file.read()).toEqual(nothingSaved);
    expect(log.lines).toEqual(['warning: a state file cannot be read and counts as absent']);
    const state = { bootId: 'b', maintenance: true, units: {} };
    expect(file.write(state)).toBeUndefined();
    expect(file.read()).toEqual(state);
  });

  test('a unit resumes within the patience of its peers, in the same boot', () => {
    const saved = { bootId: 'b', maintenance: false, units: { G1: seconds(10), G2: seconds(1) } };
    const timeout = (unit: string) => (unit === 'gone' ? undefined : seconds(3));
    const at = (now: number, boot = 'b') => [...mastersWithin(saved, boot, seconds(now), timeout)];
    expect(at(12)).toEqual(['G1']);
    expect(at(13)).toEqual([]);
    expect(at(12, 'another')).toEqual([]);
    // A clock that went backwards is another boot in disguise.
    expect(at(9)).toEqual([]);
  });

  test('a boot that has no name knows no file as its own', () => {
    const bootId = readBootId(join(directory, 'no-such-file'));
    expect(bootId).toBeUndefined();
    for (const written of ['', 'unknown', 'b']) {
      const saved = { bootId: written, maintenance: false, units: { G1: seconds(10) } };
      expect([...mastersWithin(saved, bootId, seconds(11), () => seconds(3))]).toEqual([]);
    }
  });
});
