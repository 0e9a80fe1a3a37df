import {
  CoordinatorLife,
  answers,
  backup,
  kinds,
  master,
  posted,
  summary,
} from '../support/coordinator/coordinatorLife.js';

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
    const asked = (force: boolean): CoordinatorLife => {
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

  const prepared = (from?: string): CoordinatorLife => {
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
    const life = new CoordinatorLife({ preempts });
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
