import { milliseconds } from '../../src/base/time.js';
import {
  CoordinatorLife,
  backup,
  kinds,
  master,
  posted,
  summary,
} from '../support/coordinator/coordinatorLife.js';

describe('takeover from a lost master', () => {
  test('the time of a takeover ends with the VIPs, also where the commit ends later', () => {
    const life = backup();
    life.becomes('MASTER');
    life.feed({ kind: 'timer', timer: 'commitProgress' }, 1_000);
    life.feed({ kind: 'vipsUp' }, 5);
    expect(
      life.feed({ kind: 'committed', epoch: life.state.epoch, summary }, 3_000),
    ).toContainEqual({ kind: 'takeoverDone', summary, duration: milliseconds(1_005) });
  });

  test('VIPs wait for the commit, and the caches are renewed only behind the VIPs', () => {
    const life = backup();
    const start = life.becomes('MASTER');
    expect(posted(start)).toEqual(['becomeMaster']);
    expect(kinds(start)).not.toContain('releaseVips');
    const done = life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(done).toContainEqual(expect.objectContaining({ kind: 'releaseVips', unitEpoch: 5 }));
    expect(posted(done)).toEqual([]);
    const up = life.feed({ kind: 'vipsUp' });
    expect(posted(up)).toEqual(['takeoverComplete']);
    expect(up).toContainEqual({ kind: 'takeoverDone', summary, duration: 2_000 });
  });

  test('each progress moves the deadline; without progress the VIPs come up', () => {
    const life = backup();
    life.becomes('MASTER');
    const progress = life.feed({ kind: 'commitProgress', epoch: life.state.epoch }, 900);
    expect(progress).toEqual([
      { kind: 'startTimer', timer: 'commitProgress', duration: 1_000_000 },
    ]);
    const late = life.feed({ kind: 'timer', timer: 'commitProgress' }, 1000);
    expect(kinds(late)).toContain('releaseVips');
    // The engine goes on; its report completes the takeover.
    life.feed({ kind: 'vipsUp' });
    const done = life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(posted(done)).toEqual(['takeoverComplete']);
  });

  test('a commit that goes on for the whole limit lets the VIPs up', () => {
    const life = backup();
    life.becomes('MASTER');
    expect(kinds(life.feed({ kind: 'timer', timer: 'commitLimit' }))).toContain('releaseVips');
  });

  test('a flap during the commit ends as BACKUP with a resync asked for', () => {
    const life = backup();
    life.becomes('MASTER');
    const epoch = life.state.epoch;
    const back = life.becomes('BACKUP');
    expect(back).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeBackup', epoch: epoch + 1, peerHeard: false },
    });
    expect(back).toContainEqual({ kind: 'stopTimer', timer: 'commitProgress' });
  });

  test('commit_before_vip off: nothing is held, the caches are renewed after the commit', () => {
    const life = backup();
    const start = life.becomes('MASTER', { vipsWait: false });
    expect(kinds(start)).not.toContain('releaseVips');
    expect(posted(life.feed({ kind: 'vipsUp' }))).toEqual([]);
    expect(posted(life.feed({ kind: 'committed', epoch: life.state.epoch, summary }))).toEqual([
      'takeoverComplete',
    ]);
  });

  test('a resumed MASTER touches no VIP, and tells the engine once it is there', () => {
    const life = new CoordinatorLife();
    const actions = life.becomes('MASTER', { isResumed: true, vipsWait: false });
    expect(kinds(actions)).not.toContain('releaseVips');
    expect(posted(life.feed({ kind: 'workerReady' }))).toEqual(['becomeMaster']);
    const done = life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(posted(done)).toEqual(['takeoverComplete']);
    expect(kinds(done)).not.toContain('takeoverDone');
  });
});

describe('leaving MASTER', () => {
  test('FAULT schedules the purge alone', () => {
    const life = master();
    expect(posted(life.becomes('FAULT'))).toEqual(['becomeFault']);
  });
});
