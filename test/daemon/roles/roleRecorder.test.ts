import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { seconds, microseconds } from '../../../src/base/time.js';
import { History } from '../../../src/daemon/disk/history.js';
import { RoleRecorder } from '../../../src/daemon/roles/roleRecorder.js';

const now = seconds(1_000);
const wallClock = seconds(1_700_000_000);

test('a split: two masters are told for a while, and are one entry of the history', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-split-'));
  try {
    let at = now;
    const history = new History(join(directory, 'h'), 9, silentLogger);
    const recorder = new RoleRecorder(history, { now: () => at, wallClock: () => wallClock });
    recorder.split('VI', '10.0.0.2 was MASTER too');
    recorder.split('VI', '10.1.0.2 was MASTER too');
    expect(recorder.problems()).toEqual([
      expect.objectContaining({
        code: 'two-masters',
        text: 'VI: two masters heard: 10.1.0.2 was MASTER too',
      }),
    ]);
    recorder.merged('VI', { created: 4, failed: 1, durationMs: 20 });
    expect(history.entries()).toEqual([
      expect.objectContaining({
        ...{ kind: 'sync', because: '10.0.0.2 was MASTER too' },
        ...{ flowsMerged: 4, flowsFailed: 1, mergeMs: 20 },
      }),
    ]);
    at = microseconds(now + 11_000_000);
    expect(recorder.problems()).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
