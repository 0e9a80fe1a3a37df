import { microseconds, milliseconds, seconds } from '../../src/base/time.js';
import {
  initialCoordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type CoordinatorState,
} from '../../src/coordinator/vocabulary.js';
import { coordinatorStep } from '../../src/coordinator/step.js';
import { nothingCommitted } from '../../src/sync/messages';

const settings: CoordinatorSettings = {
  commitDeadline: milliseconds(1000),
  commitLimit: seconds(10),
  preemptSyncTimeout: seconds(30),
  preempts: true,
};
const summary = { ...nothingCommitted, entries: 7, durationMs: 3 };

type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never;

/** A life: feeds events at growing times and shows what each one asked for. */
class Life {
  state: CoordinatorState = initialCoordinator;
  #now = 0;
  readonly #settings: CoordinatorSettings;

  constructor(changes: Partial<CoordinatorSettings> = {}) {
    this.#settings = { ...settings, ...changes };
  }

  feed(event: Untimed<CoordinatorEvent>, after = 1): readonly CoordinatorAction[] {
    this.#now += after * 1_000;
    const timed = { ...event, at: microseconds(this.#now) } as CoordinatorEvent;
    const { state, actions } = coordinatorStep(this.state, timed, this.#settings);
    this.state = state;
    return actions;
  }

  becomes(to: 'MASTER' | 'BACKUP' | 'FAULT', change: object = {}): readonly CoordinatorAction[] {
    return this.feed({
      kind: 'roleChanged',
      to,
      because: 'test',
      unitEpoch: 5,
      vipsWait: to === 'MASTER',
      isResumed: false,
      ...change,
    });
  }
}

/** What goes to the worker, as `kind` or `kind:epoch`. */
function posted(actions: readonly CoordinatorAction[]): string[] {
  return actions.flatMap((a) => (a.kind === 'post' ? [a.command.kind] : []));
}

function answers(actions: readonly CoordinatorAction[]): string[] {
  return actions.flatMap((a) => (a.kind === 'answer' ? [a.message] : []));
}

function kinds(actions: readonly CoordinatorAction[]): string[] {
  return actions.map((a) => a.kind);
}

function backup(): Life {
  const life = new Life();
  life.feed({ kind: 'workerReady' });
  life.becomes('BACKUP');
  life.feed({ kind: 'peer', peerKind: 'keepstate', isSynchronised: true });
  return life;
}

function master(): Life {
  const life = backup();
  life.becomes('MASTER');
  life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
  life.feed({ kind: 'vipsUp' });
  return life;
}

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

  test('with the worker down the VIPs come up at once', () => {
    const life = backup();
    life.feed({ kind: 'workerDown', because: 'killed' });
    const actions = life.becomes('MASTER');
    expect(kinds(actions)).toContain('releaseVips');
    expect(posted(actions)).toEqual([]);
  });

  test('the worker dying during the commit lets the VIPs up', () => {
    const life = backup();
    life.becomes('MASTER');
    expect(kinds(life.feed({ kind: 'workerDown', because: 'killed' }))).toContain('releaseVips');
  });

  test('a report of an older epoch is ignored', () => {
    const life = backup();
    life.becomes('MASTER');
    const old = life.state.epoch;
    life.becomes('BACKUP');
    life.becomes('MASTER');
    expect(life.feed({ kind: 'committed', epoch: old, summary })).toEqual([]);
    expect(life.state.takeover?.vips).toBe('held');
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
    const life = new Life();
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

  test('another master is told to the worker once per role change', () => {
    const life = master();
    life.becomes('BACKUP');
    expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual(['otherMasterHeard']);
    expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual([]);
    life.becomes('FAULT');
    expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual(['otherMasterHeard']);
  });
});

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
  function silent(): { life: Life; epoch: number } {
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

describe('another master beside this one', () => {
  const seen = { kind: 'otherMasterSeen', because: '10.0.0.2 was MASTER too' } as const;
  const found = { created: 4, failed: 1, durationMs: 20 };
  const yielded = (masterFor: number, ago = 1): Untimed<CoordinatorEvent> => ({
    kind: 'peerYielded',
    name: 'fw2',
    masterFor: milliseconds(masterFor),
    ago: milliseconds(ago),
  });

  test('flows are merged once per split', () => {
    const life = master();
    const { epoch } = life.state;
    expect(posted(life.feed(seen))).toEqual(['mergeAfterSplit']);
    life.feed({ kind: 'merged', epoch, summary: found });
    expect(posted(life.feed(seen))).toEqual([]);
    expect(posted(life.feed(seen, 5_000))).toEqual(['mergeAfterSplit']);
  });

  test('neighbours are told where the addresses are when the kernel is ready, not before', () => {
    const life = master();
    const { epoch } = life.state;
    expect(kinds(life.feed(seen))).toEqual(['split', 'log', 'post', 'startTimer']);
    expect(kinds(life.feed(seen))).toEqual(['split']);
    expect(kinds(life.feed({ kind: 'mergeReady', epoch }))).toEqual(['announce', 'stopTimer']);
    // From now on each advertisement of the other is answered with ARP, as without a coordinator.
    expect(kinds(life.feed(seen))).toEqual(['split', 'announce']);
    expect(life.feed({ kind: 'merged', epoch, summary: found })).toEqual([
      { kind: 'merged', summary: found },
    ]);
  });

  test('a merge without progress does not keep the neighbours waiting, one that works does', () => {
    const life = master();
    const { epoch } = life.state;
    life.feed(seen);
    expect(life.feed({ kind: 'mergeProgress', epoch }, 500)).toEqual([
      { kind: 'startTimer', timer: 'merge', duration: settings.commitDeadline },
    ]);
    expect(life.feed({ kind: 'mergeProgress', epoch }, 9_600)).toEqual([]);
    expect(kinds(life.feed({ kind: 'timer', timer: 'merge' }))).toContain('announce');
    expect(life.feed({ kind: 'mergeReady', epoch })).toEqual([]);
  });

  test('a merge that fails keeps nobody waiting, and does not stand in the way of the next', () => {
    const life = master();
    const { epoch } = life.state;
    life.feed(seen);
    expect(kinds(life.feed({ kind: 'mergeFailed', epoch }))).toContain('announce');
    expect(posted(life.feed(yielded(400), 9_000))).toEqual(['mergeAfterSplit']);
  });

  test('without an engine the neighbours are told at once', () => {
    const life = master();
    life.feed({ kind: 'workerDown', because: 'test' });
    expect(kinds(life.feed(seen))).toEqual(['split', 'log', 'announce']);
  });

  test('an engine that dies while it merges leaves the announcement to nobody else', () => {
    const life = master();
    life.feed(seen);
    expect(kinds(life.feed({ kind: 'workerDown', because: 'test' }))).toContain('announce');
    expect(life.state.merge).toBeUndefined();
  });

  test('a peer that gave way unheard is merged with when its advert shows that it was master', () => {
    const life = master();
    life.feed({ kind: 'caughtUp' }, 4_000);
    // Anybody on the sync network can say so; the peer's next repetition is news again.
    expect(posted(life.feed(yielded(400)))).toEqual(['yieldUnproven']);
    expect(posted(life.feed(yielded(400, 501), 500))).toEqual(['yieldUnproven']);
    const actions = life.feed(seen, 500);
    expect(posted(actions)).toEqual(['mergeAfterSplit']);
    expect(actions).toContainEqual({
      kind: 'split',
      because: 'fw2 was MASTER too, for 0.4 s, until it heard this node',
    });
    // Its repetitions change nothing.
    expect(life.feed(yielded(400))).toEqual([]);
  });

  test('a master that resumed after a crash believes a peer that gave way soon after, others do not', () => {
    const resumed = (isResumed: boolean): Life => {
      const life = backup();
      life.becomes('MASTER', { isResumed });
      life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
      life.feed({ kind: 'vipsUp' });
      return life;
    };
    expect(posted(resumed(true).feed(yielded(2_000), 1_500))).toEqual(['mergeAfterSplit']);
    expect(posted(resumed(true).feed(yielded(2_000), 12_000))).toEqual(['yieldUnproven']);
    expect(posted(resumed(false).feed(yielded(2_000), 1_500))).toEqual(['yieldUnproven']);
  });

  test('what a peer says of its giving way begins one merge a minute', () => {
    const life = master();
    const { epoch } = life.state;
    const split = (after: number): readonly string[] => {
      life.feed({ kind: 'merged', epoch, summary: found });
      return posted(life.feed(yielded(400), after));
    };
    life.feed(seen, 4_000);
    expect(split(1_000)).toEqual(['mergeAfterSplit']);
    expect(split(1_000)).toEqual(['yieldUnproven']);
    life.feed(seen, 57_900);
    expect(split(1_000)).toEqual(['yieldUnproven']);
    expect(split(100)).toEqual(['mergeAfterSplit']);
  });

  test('a peer that no line names is believed where this node has heard its adverts', () => {
    const life = master();
    life.feed({ ...seen, address: '10.0.0.2' });
    life.feed({ kind: 'merged', epoch: life.state.epoch, summary: found });
    const from = (address: string): Untimed<CoordinatorEvent> => ({
      ...yielded(400),
      ...{ from: address },
    });
    expect(posted(life.feed(from('10.99.0.66'), 1_000))).toEqual(['yieldUnproven']);
    expect(posted(life.feed(from('10.0.0.2')))).toEqual(['mergeAfterSplit']);
  });

  test('whoever gave way shows that it was master, until the stronger one answers', () => {
    const ring = { kind: 'timer', timer: 'testimony' } as const;
    const life = master();
    expect(life.becomes('BACKUP', { yieldedTo: '10.0.0.2' })).toContainEqual({
      kind: 'startTimer',
      timer: 'testimony',
      duration: milliseconds(500),
    });
    expect(kinds(life.feed(ring, 500))).toEqual(['testify', 'log', 'startTimer']);
    expect(kinds(life.feed(ring, 1_000))).toEqual(['testify', 'startTimer']);
    expect(kinds(life.feed({ kind: 'yieldAnswered' }))).toEqual(['stopTimer']);
    expect(kinds(life.feed(ring, 1_000))).toEqual([]);
    // It ends by itself, and with the role.
    const alone = master();
    alone.becomes('BACKUP', { yieldedTo: '10.0.0.2' });
    let shown = 0;
    for (let i = 0; i < 100; i++) shown += Number(kinds(alone.feed(ring)).includes('testify'));
    expect(shown).toBe(60);
    const again = master();
    again.becomes('BACKUP', { yieldedTo: '10.0.0.2' });
    again.becomes('MASTER');
    expect(kinds(again.feed(ring))).toEqual([]);
    // A conntrackd beside keepalived merges nothing.
    const beside = master();
    beside.feed({ kind: 'peer', peerKind: 'conntrackd', isSynchronised: true });
    expect(kinds(beside.becomes('BACKUP', { yieldedTo: '10.0.0.2' }))).not.toContain('startTimer');
  });

  test('a peer whose news come again after the merge is told that there is nothing to merge', () => {
    const life = master();
    const { epoch } = life.state;
    life.feed(seen, 4_000);
    life.feed({ kind: 'merged', epoch, summary: found });
    expect(posted(life.feed(yielded(400, 2_000), 1_000))).toEqual(['yieldIgnored']);
  });

  test('a peer that this node has preempted is no split', () => {
    const life = backup();
    life.feed({ kind: 'caughtUp' });
    life.feed({ kind: 'preemptionWanted', unitEpoch: 2 });
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    life.becomes('MASTER');
    expect(posted(life.feed(yielded(60_000), 30))).toEqual(['yieldIgnored']);
    expect(kinds(life.feed(seen))).toEqual(['announce']);
    // A preempted master that stays for seconds was apart.
    expect(posted(life.feed(yielded(60_000), 3_000))).toEqual(['mergeAfterSplit']);
  });

  test('a peer that gave way to somebody else is told so', () => {
    expect(posted(backup().feed(yielded(400)))).toEqual(['yieldIgnored']);
  });

  test('a master that gives way tells the engine how long it was one', () => {
    const life = master();
    const actions = life.becomes('BACKUP', { vipsWait: false, yieldedTo: '10.0.0.2' });
    expect(actions).toContainEqual({
      kind: 'post',
      command: {
        kind: 'becomeBackup',
        epoch: life.state.epoch,
        peerHeard: false,
        yieldedAfter: milliseconds(3),
      },
    });
  });
});

describe('planned hand-over', () => {
  test.each([[-1], [-2]])(
    'drains while the peer commits, and resigns when both are done; last: %i',
    (last) => {
      const life = master();
      life.feed({ kind: 'failover', requestId: 3, force: false });
      const first = { kind: 'result', id: -3 - last, ok: true, message: '' } as const;
      expect(life.feed(first)).toEqual([]);
      const done = life.feed({ kind: 'result', id: last, ok: true, message: '' });
      expect(kinds(done)).toEqual(['resign', 'post', 'startTimer']);
      expect(life.feed(first)).toEqual([]);
    },
  );

  test('the engine dies, or never answers: it fails, and a forced one goes on', () => {
    const asked = (force: boolean): Life => {
      const life = master();
      life.feed({ kind: 'failover', requestId: 3, force });
      return life;
    };
    for (const event of [
      { kind: 'workerDown', because: 'killed' },
      { kind: 'timer', timer: 'handOver' },
    ] as const) {
      const life = asked(false);
      expect(life.feed(event)).toContainEqual(
        expect.objectContaining({ kind: 'answer', ok: false, code: 'peer-not-ready' }),
      );
      expect(life.state.handOver).toBeUndefined();
      expect(kinds(asked(true).feed(event))).toContain('resign');
    }
  });

  test('a peer that is not ready ends it, unless forced: then it is told nothing', () => {
    const no = { kind: 'result', id: -2, ok: false, message: 'in maintenance' } as const;
    const life = master();
    life.feed({ kind: 'failover', requestId: 3, force: false });
    expect(life.feed(no)).toContainEqual(
      expect.objectContaining({ kind: 'answer', ok: false, code: 'peer-not-ready' }),
    );
    const forced = master();
    forced.feed({ kind: 'failover', requestId: 3, force: true });
    forced.feed({ kind: 'result', id: -1, ok: true, message: '' });
    expect(kinds(forced.feed(no))).toEqual(['resign', 'startTimer']);
  });

  test('drains, offers, resigns when the peer is ready, and answers when it has the role', () => {
    const life = master();
    const start = life.feed({ kind: 'failover', requestId: 3, force: false });
    expect(posted(start)).toEqual(['drain', 'offerHandover']);
    life.feed({ kind: 'result', id: -1, ok: true, message: '' });
    const ready = life.feed({ kind: 'result', id: -2, ok: true, message: '' });
    expect(kinds(ready)).toEqual(['resign', 'post', 'startTimer']);
    expect(posted(ready)).toEqual(['handoverResigned']);
    life.becomes('BACKUP');
    expect(life.feed({ kind: 'otherMasterHeard' })).toContainEqual(
      expect.objectContaining({ kind: 'answer', requestId: 3, ok: true }),
    );
  });

  test('a conntrackd peer is offered nothing: priority 0 does it', () => {
    const life = master();
    life.feed({ kind: 'peer', peerKind: 'conntrackd', isSynchronised: true });
    life.feed({ kind: 'failover', requestId: 3, force: false });
    expect(kinds(life.feed({ kind: 'result', id: -1, ok: true, message: '' }))).toContain('resign');
  });

  test('is refused without a synchronised peer, unless forced', () => {
    const life = master();
    life.feed({ kind: 'peer', peerKind: 'none', isSynchronised: false });
    expect(life.feed({ kind: 'failover', requestId: 3, force: false })).toEqual([
      expect.objectContaining({ kind: 'answer', ok: false, code: 'peer-not-synchronised' }),
    ]);
    expect(posted(life.feed({ kind: 'failover', requestId: 4, force: true }))).toEqual(['drain']);
  });

  test('is refused on a node that has no role', () => {
    expect(backup().feed({ kind: 'failover', requestId: 3, force: true })).toEqual([
      expect.objectContaining({ kind: 'answer', ok: false, code: 'not-master' }),
    ]);
  });

  test('fails when nobody takes the role', () => {
    const life = master();
    life.feed({ kind: 'failover', requestId: 3, force: false });
    life.feed({ kind: 'result', id: -1, ok: true, message: '' });
    life.feed({ kind: 'result', id: -2, ok: true, message: '' });
    life.becomes('BACKUP');
    const back = life.becomes('MASTER');
    expect(back).toContainEqual(
      expect.objectContaining({ kind: 'answer', requestId: 3, ok: false, code: 'not-taken' }),
    );
  });

  test('the other side commits, says ready, and takes the role when it is granted', () => {
    const life = backup();
    expect(posted(life.feed({ kind: 'handoverOffered' }))).toEqual(['preCommit']);
    const ready = life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(ready).toContainEqual({
      kind: 'post',
      command: { kind: 'answerHandover', ready: true, because: 'flows are committed' },
    });
    expect(kinds(life.feed({ kind: 'handoverGranted', hasResigned: true }))).toEqual([
      'assumeRole',
    ]);
    const start = life.becomes('MASTER', { vipsWait: true });
    expect(kinds(start)).toContain('releaseVips');
    // What was committed in advance counts: nothing more is waited for.
    expect(posted(life.feed({ kind: 'vipsUp' }))).toEqual(['takeoverComplete']);
    expect(life.state.takeover).toBeUndefined();
  });

  test('a grant without a preparation changes nothing', () => {
    expect(backup().feed({ kind: 'handoverGranted', hasResigned: true })).toEqual([]);
  });

  const prepared = (from?: string): Life => {
    const life = backup();
    life.feed({ kind: 'handoverOffered', ...(from === undefined ? {} : { from }) });
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    return life;
  };

  test('a grant counts beside priority 0 of the MASTER, which may come within a second of it', () => {
    const grant = { kind: 'handoverGranted', hasResigned: false } as const;
    const life = prepared();
    expect(life.feed(grant)).toEqual([]);
    expect(kinds(life.feed({ kind: 'masterResigned' }, 999))).toEqual(['assumeRole']);
    const late = prepared();
    late.feed(grant);
    expect(late.feed({ kind: 'masterResigned' }, 1_001)).toEqual([]);
    // Priority 0 alone is VRRP's matter.
    expect(prepared().feed({ kind: 'masterResigned' })).toEqual([]);
  });

  test('what a grant asked for ends with the role in which it was given', () => {
    const life = prepared();
    life.feed({ kind: 'handoverGranted', hasResigned: false });
    life.becomes('FAULT');
    life.becomes('BACKUP');
    life.feed({ kind: 'handoverOffered' });
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    expect(life.feed({ kind: 'masterResigned' })).toEqual([]);
  });

  test('an offer ends in a commit that is taken back, however often it is repeated', () => {
    const life = prepared();
    for (let i = 0; i < 5; i++) {
      const again = life.feed({ kind: 'handoverOffered' }, 1_000);
      expect(again).toEqual([
        {
          kind: 'post',
          command: { kind: 'answerHandover', ready: true, because: 'flows are committed' },
        },
      ]);
    }
    expect(posted(life.feed({ kind: 'timer', timer: 'preparation' }))).toEqual(['undoPreCommit']);
    expect(life.state.preparation).toBeUndefined();
  });

  test('from an address that no line names an offer counts where its adverts are heard', () => {
    const life = backup();
    const offer = { kind: 'handoverOffered', from: '10.99.0.2' } as const;
    life.feed({ kind: 'advertiser', address: '10.0.0.2' });
    expect(life.feed(offer)).toEqual([
      {
        kind: 'post',
        command: {
          kind: 'answerHandover',
          ready: false,
          because: expect.stringContaining('sync_peer') as string,
        },
      },
    ]);
    life.feed({ kind: 'advertiser', address: '10.99.0.2' });
    expect(posted(life.feed(offer))).toEqual(['preCommit']);
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    const grant = { kind: 'handoverGranted', hasResigned: true } as const;
    expect(life.feed({ ...grant, from: '10.99.0.66' })).toEqual([]);
    expect(kinds(life.feed({ ...grant, from: '10.99.0.2' }))).toEqual(['assumeRole']);
  });

  test('maintenance on a MASTER hands over first, and then holds', () => {
    const life = master();
    const on = { kind: 'maintenance', requestId: 8, on: true, force: false } as const;
    expect(posted(life.feed(on))).toEqual(['drain', 'offerHandover']);
    life.feed({ kind: 'result', id: -1, ok: true, message: '' });
    life.feed({ kind: 'result', id: -2, ok: true, message: '' });
    life.becomes('BACKUP');
    const done = life.feed({ kind: 'otherMasterHeard' });
    expect(done).toContainEqual({ kind: 'maintenance', on: true });
    expect(answers(done)).toEqual([
      expect.stringMatching(/^handed over in \d+ ms; maintenance is on: .* never takes the role/),
    ]);
    expect(life.state.maintenance).toBe(true);
    // A peer's offer is declined meanwhile.
    expect(life.feed({ kind: 'handoverOffered' })).toEqual([
      {
        kind: 'post',
        command: { kind: 'answerHandover', ready: false, because: 'in maintenance' },
      },
    ]);
  });

  test.each([
    [true, 'the higher priority takes the role again'],
    [false, 'nopreempt is configured: the role stays where it is'],
  ])('with preemption %s, a release promises what VRRP then does', (preempts, words) => {
    const life = new Life({ preempts });
    life.becomes('BACKUP');
    const done = life.feed({ kind: 'failoverRelease', requestId: 3 });
    expect(kinds(done)).toEqual(['releasePreemption', 'answer']);
    expect(answers(done)).toEqual([expect.stringContaining(words)]);
  });

  test('forced maintenance does not wait for another router', () => {
    const life = master();
    life.feed({ kind: 'peer', peerKind: 'none', isSynchronised: false });
    life.feed({ kind: 'maintenance', requestId: 8, on: true, force: true });
    life.feed({ kind: 'result', id: -1, ok: false, message: 'no peer' });
    const done = life.becomes('BACKUP');
    expect(done).toContainEqual({ kind: 'maintenance', on: true });
    expect(done).toContainEqual(expect.objectContaining({ kind: 'answer', ok: true }));
  });
});
