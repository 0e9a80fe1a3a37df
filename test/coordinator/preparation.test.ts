import { seconds } from '../../src/base/time.js';
import type { CoordinatorLife } from '../support/coordinator/coordinatorLife.js';
import { backup, kinds, master, posted, summary } from '../support/coordinator/coordinatorLife.js';

describe('preempting a living master', () => {
  test('waits for the external table, commits, and only then is granted', () => {
    const life = backup();
    const wish = life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    expect(kinds(wish)).toEqual(['stopTimer', 'startTimer']);
    expect(posted(life.feed({ kind: 'caughtUp' }))).toEqual(['preCommit']);
    const done = life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(done).toContainEqual({ kind: 'grantPreemption', unitEpoch: 9 });
    const start = life.becomes('MASTER');
    expect(start).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeMaster', epoch: life.state.epoch, preCommitted: true },
    });
    expect(kinds(start)).toContain('releaseVips');
  });

  test('a commit that failed grants nothing: the living master goes on, and it is made anew', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    const failed = { ...summary, entries: 0, cancelled: true };
    const first = life.state.epoch;
    const refused = life.feed({ kind: 'committed', epoch: first, summary: failed });
    expect(kinds(refused)).not.toContain('grantPreemption');
    expect(refused).toContainEqual({
      kind: 'startTimer',
      timer: 'preemptSync',
      duration: seconds(1),
    });
    expect(posted(life.feed({ kind: 'timer', timer: 'preemptSync' }))).toEqual(['preCommit']);
    expect(life.state.epoch).toBeGreaterThan(first);
    expect(life.feed({ kind: 'committed', epoch: life.state.epoch, summary })).toContainEqual({
      kind: 'grantPreemption',
      unitEpoch: 9,
    });
  });

  test('what a silence could not commit is committed before a preemption is granted', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'masterSilent' });
    const failed = { ...summary, entries: 0, cancelled: true };
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary: failed });
    const wish = life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    expect(kinds(wish)).not.toContain('grantPreemption');
    expect(posted(wish)).toEqual(['preCommit']);
  });

  test('a wish that ends while a failed commit waits for its repetition: it is taken back', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    const failed = { ...summary, cancelled: true };
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary: failed });
    const over = life.feed({ kind: 'preemptionWithdrawn', because: 'the master rose' });
    expect(over).toContainEqual({ kind: 'stopTimer', timer: 'preemptSync' });
    expect(posted(life.feed({ kind: 'timer', timer: 'preparation' }))).toEqual(['undoPreCommit']);
    expect(life.state.preparation).toBeUndefined();
  });

  test('an engine that dies after a failed commit is waited for, as one that dies during it', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    const failed = { ...summary, cancelled: true };
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary: failed });
    const died = life.feed({ kind: 'workerDown', because: 'killed' });
    expect(life.state.preparation?.stage).toBe('awaitingSync');
    expect(died).toContainEqual(expect.objectContaining({ timer: 'preemptSync' }));
    life.feed({ kind: 'workerReady' });
    expect(posted(life.feed({ kind: 'caughtUp' }))).toEqual(['preCommit']);
  });

  test('goes on after the timeout, with what there is', () => {
    const life = backup();
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    expect(posted(life.feed({ kind: 'timer', timer: 'preemptSync' }))).toEqual(['preCommit']);
  });

  test('with the worker down it waits for its return, then for the timeout', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    life.feed({ kind: 'workerDown', because: 'killed' });
    expect(life.state.preparation?.stage).toBe('awaitingSync');
    expect(life.feed({ kind: 'timer', timer: 'preemptSync' })).toContainEqual({
      kind: 'grantPreemption',
      unitEpoch: 9,
    });
  });

  test('a worker that came back in between commits again', () => {
    const life = backup();
    life.feed({ kind: 'workerDown', because: 'killed' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    life.feed({ kind: 'timer', timer: 'preemptSync' });
    life.feed({ kind: 'workerReady' });
    expect(life.becomes('MASTER')).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeMaster', epoch: life.state.epoch, preCommitted: false },
    });
  });

  test('an old master that dies meanwhile keeps the work done so far', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    const epoch = life.state.epoch;
    life.feed({ kind: 'preemptionWithdrawn', because: 'master died' });
    expect(life.becomes('MASTER')).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeMaster', epoch, preCommitted: true },
    });
    expect(life.state.takeover?.vips).toBe('held');
    expect(kinds(life.feed({ kind: 'committed', epoch, summary }))).toContain('releaseVips');
  });

  test('what was committed for a wish that is over is taken back', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    life.feed({ kind: 'preemptionWithdrawn', because: 'the master rose' });
    expect(posted(life.feed({ kind: 'timer', timer: 'preparation' }))).toEqual(['undoPreCommit']);
    expect(life.state.preparation).toBeUndefined();
  });
});

describe('a silent master', () => {
  function silent(): { life: CoordinatorLife; epoch: number } {
    const life = backup();
    expect(posted(life.feed({ kind: 'masterSilent' }))).toEqual(['preCommit']);
    return { life, epoch: life.state.epoch };
  }

  test('has its flows committed in advance, and the VIPs wait for nothing when it counts as lost', () => {
    const { life, epoch } = silent();
    life.feed({ kind: 'committed', epoch, summary });
    const actions = life.becomes('MASTER');
    expect(posted(actions)).toEqual(['becomeMaster']);
    expect(kinds(actions)).toContain('releaseVips');
    expect(life.feed({ kind: 'vipsUp' })).toContainEqual(
      expect.objectContaining({ kind: 'takeoverDone', summary }),
    );
  });

  test('counts as lost while the commit runs: the VIPs wait for its end', () => {
    const { life, epoch } = silent();
    const actions = life.becomes('MASTER');
    expect(actions).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeMaster', epoch, preCommitted: true },
    });
    expect(kinds(actions)).not.toContain('releaseVips');
    expect(kinds(life.feed({ kind: 'committed', epoch, summary }))).toContain('releaseVips');
  });

  test('whose flows could not be committed in advance: the VIPs wait for another commit', () => {
    const { life, epoch } = silent();
    life.feed({ kind: 'committed', epoch, summary: { ...summary, entries: 0, cancelled: true } });
    const actions = life.becomes('MASTER');
    expect(posted(actions)).toEqual(['becomeMaster']);
    expect(kinds(actions)).not.toContain('releaseVips');
    expect(kinds(life.feed({ kind: 'committed', epoch, summary }))).toContain('releaseVips');
    expect(life.feed({ kind: 'vipsUp' })).toContainEqual(
      expect.objectContaining({ kind: 'takeoverDone', summary }),
    );
  });

  test('that is heard again leaves everything prepared for a while; then it is taken back', () => {
    const { life, epoch } = silent();
    life.feed({ kind: 'committed', epoch, summary });
    const again = life.feed({ kind: 'masterSilent' });
    expect(posted(again)).toEqual([]);
    expect(again).toContainEqual({
      kind: 'startTimer',
      timer: 'preparation',
      duration: seconds(30),
    });
    expect(posted(life.feed({ kind: 'timer', timer: 'preparation' }))).toEqual(['undoPreCommit']);
    expect(life.state.preparation).toBeUndefined();
  });

  test('makes a preemption that waits for the table commit what there is', () => {
    const life = backup();
    life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    expect(posted(life.feed({ kind: 'masterSilent' }))).toEqual(['preCommit']);
    expect(life.state.preparation).toMatchObject({ for: 'preemption', stage: 'committing' });
  });

  test('is prepared for in BACKUP only, with an engine, and not in maintenance', () => {
    const inMaintenance = backup();
    inMaintenance.feed({ kind: 'maintenance', requestId: 1, on: true, force: false });
    expect(inMaintenance.feed({ kind: 'masterSilent' })).toEqual([]);
    const withoutEngine = backup();
    withoutEngine.feed({ kind: 'workerDown', because: 'killed' });
    expect(withoutEngine.feed({ kind: 'masterSilent' })).toEqual([]);
    expect(master().feed({ kind: 'masterSilent' })).toEqual([]);
  });

  test('is forgotten when the engine dies: a fresh one has committed nothing', () => {
    const { life } = silent();
    const down = life.feed({ kind: 'workerDown', because: 'killed' });
    expect(life.state.preparation).toBeUndefined();
    expect(down).toContainEqual({ kind: 'stopTimer', timer: 'preparation' });
    expect(down).toContainEqual({ kind: 'stopTimer', timer: 'commitLimit' });
    life.feed({ kind: 'workerReady' });
    expect(life.becomes('MASTER')).toContainEqual({
      kind: 'post',
      command: { kind: 'becomeMaster', epoch: life.state.epoch, preCommitted: false },
    });
  });

  test('what was committed for it serves a preemption only if the table has caught up', () => {
    const early = silent();
    early.life.feed({ kind: 'committed', epoch: early.epoch, summary });
    const wish = early.life.feed({ kind: 'preemptionWanted', unitEpoch: 9 });
    expect(kinds(wish)).not.toContain('grantPreemption');
    // A report that comes late grants nothing either.
    expect(early.life.feed({ kind: 'committed', epoch: early.epoch, summary })).toEqual([]);
    expect(posted(early.life.feed({ kind: 'caughtUp' }))).toEqual(['preCommit']);

    const { life, epoch } = silent();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'committed', epoch, summary });
    expect(life.feed({ kind: 'preemptionWanted', unitEpoch: 9 })).toContainEqual({
      kind: 'grantPreemption',
      unitEpoch: 9,
    });
    expect(life.state.preparation?.for).toBe('preemption');
  });
});
