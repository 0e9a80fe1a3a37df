import { milliseconds } from '../../src/base/time.js';
import type { CoordinatorEvent } from '../../src/coordinator/vocabulary.js';
import type { CoordinatorLife } from '../support/coordinator/coordinatorLife.js';
import {
  backup,
  kinds,
  master,
  posted,
  summary,
  settings,
  type Untimed,
} from '../support/coordinator/coordinatorLife.js';

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

  test('the other who shows that it was MASTER does not begin a merge anew that waits for its table', () => {
    const life = master();
    const { epoch } = life.state;
    life.feed(seen);
    life.feed({ kind: 'mergeReady', epoch });
    // Its table comes with the next repetition (ALARM), and it shows itself until it is answered.
    for (let i = 0; i < 20; i++) expect(posted(life.feed(seen, 1_000))).toEqual([]);
    life.feed({ kind: 'merged', epoch, summary: found });
    expect(posted(life.feed(seen, 1_000))).toEqual(['mergeAfterSplit']);
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
    const resumed = (isResumed: boolean): CoordinatorLife => {
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

  test('who gave way is greeted a moment later where the sync link was cut too, and then shows it', () => {
    const life = backup();
    life.feed({ kind: 'peer', peerKind: 'none', isSynchronised: false });
    life.becomes('MASTER');
    life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
    life.feed({ kind: 'vipsUp' });
    const ring = { kind: 'timer', timer: 'testimony' } as const;
    const actions = life.becomes('BACKUP', { yieldedTo: '10.0.0.2' });
    expect(kinds(actions)).toContain('startTimer');
    expect(kinds(life.feed(ring, 500))).toEqual(['startTimer']);
    life.feed({ kind: 'peer', peerKind: 'keepstate', isSynchronised: false });
    expect(kinds(life.feed(ring, 1_000))).toEqual(['testify', 'startTimer']);
    // A conntrackd is never shown anything, and is not waited for without end.
    life.feed({ kind: 'peer', peerKind: 'conntrackd', isSynchronised: true });
    let rings = 0;
    while (kinds(life.feed(ring, 1_000)).includes('startTimer')) rings++;
    expect(rings).toBeLessThan(60);
    expect(life.state.testimonies).toBe(0);
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
    beside.becomes('BACKUP', { yieldedTo: '10.0.0.2' });
    for (let i = 0; i < 100; i++) expect(kinds(beside.feed(ring))).not.toContain('testify');
  });

  test('who gave way shows it a few times more where the engine that waits for the answer died', () => {
    const life = master();
    const ring = { kind: 'timer', timer: 'testimony' } as const;
    life.becomes('BACKUP', { yieldedTo: '10.0.0.2' });
    life.feed(ring, 500);
    life.feed({ kind: 'workerDown', because: 'test' });
    life.feed({ kind: 'workerReady' });
    life.feed({ kind: 'peer', peerKind: 'keepstate', isSynchronised: true });
    let shown = 0;
    for (let i = 0; i < 100; i++) shown += Number(kinds(life.feed(ring)).includes('testify'));
    expect(shown).toBe(5);
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
