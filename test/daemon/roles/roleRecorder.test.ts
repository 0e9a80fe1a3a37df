import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import { History } from '../../../src/daemon/disk/history.js';
import { RoleRecorder } from '../../../src/daemon/roles/roleRecorder.js';
import { nothingCommitted } from '../../../src/sync/messages.js';
import type { RoleChange } from '../../../src/vrrp/routerPorts.js';

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

test('a takeover is completed with the silence before it, a return of the role without', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-silence-'));
  try {
    const history = new History(join(directory, 'h'), 9, silentLogger);
    const recorder = new RoleRecorder(history, { now: () => now, wallClock: () => wallClock });
    const change: RoleChange = {
      ...({ unit: 'G', from: 'BACKUP', to: 'MASTER', because: 'no master was heard' } as const),
      ...{ epoch: 2, vipsWait: true, isResumed: false },
    };
    const summary = { ...nothingCommitted, entries: 3, durationMs: 2 };
    recorder.roleChanged({ ...change, silence: milliseconds(3004) }, true);
    recorder.takeoverDone(summary, milliseconds(5));
    expect(history.entries().at(-1)).toMatchObject({ silenceMs: 3004, commitMs: 2, takeoverMs: 5 });
    recorder.roleChanged(change, true);
    recorder.takeoverDone(summary, milliseconds(5));
    expect(history.entries().at(-1)).not.toHaveProperty('silenceMs');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
