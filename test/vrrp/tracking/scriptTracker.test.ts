import { milliseconds, seconds } from '../../../src/base/time.js';
import { silentLogger } from '../../../src/base/logger.js';
import { ScriptTracker } from '../../../src/vrrp/tracking/scriptTracker.js';
import { FakeProcesses } from '../../support/vrrp/fakeProcesses.js';
import { ManualTime } from '../../support/base/manualTime.js';

describe('a tracked script', () => {
  const settings = {
    name: 's',
    command: { words: ['/check'] },
    interval: seconds(2),
    timeout: seconds(3),
    weight: 0,
    isReversed: false,
    rise: 1,
    fall: 1,
    initFail: false,
  };

  test('that hangs is not doubled, is ended at its timeout, and killed two seconds later', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const verdicts: string[] = [];
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      (verdict) => void verdicts.push(verdict),
    );
    tracker.start();
    await time.advance(milliseconds(2_999));
    expect(spawner.started).toHaveLength(1);
    expect(spawner.started[0]?.signals).toEqual([]);
    await time.advance(milliseconds(1));
    expect(spawner.started[0]?.signals).toEqual(['SIGTERM']);
    await time.advance(seconds(2));
    expect(spawner.started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    spawner.started[0]?.end({ kind: 'signalled', signal: 'SIGKILL' });
    expect(verdicts).toEqual(['bad']);
    expect(tracker.lastEnd).toBe('timed out, ended by SIGKILL');
    await time.advance(seconds(1));
    expect(spawner.started).toHaveLength(2);
    tracker.close();
  });

  test('that catches SIGTERM counts by its exit status', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      () => undefined,
    );
    tracker.start();
    await time.advance(seconds(3));
    spawner.started[0]?.end({ kind: 'exited', status: 0 });
    expect(tracker.verdict).toBe('good');
    tracker.close();
  });

  test('that cannot be started counts for nothing, until it can', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      () => undefined,
    );
    tracker.start();
    spawner.started[0]?.end({ kind: 'notStarted', because: "script user 'x' does not exist" });
    expect(tracker.verdict).toBe('disabled');
    expect(tracker.lastEnd).toContain("user 'x'");
    await time.advance(settings.interval);
    spawner.started[1]?.end({ kind: 'exited', status: 1 });
    expect(tracker.verdict).toBe('bad');
    await time.advance(settings.interval);
    spawner.started[2]?.end({ kind: 'notStarted', because: 'no such file' });
    expect(tracker.verdict).toBe('bad');
    tracker.close();
  });
});
