/**
 * What a role asks of the engine, where commands come faster than the works end; and the end of a
 * merge.
 */
import { seconds } from '../../../src/base/time.js';
import type { SyncReport } from '../../../src/sync/messages.js';
import { initialRole, type RoleState } from '../../../src/sync/role/roleState.js';
import { RoleRunner, type RoleInput } from '../../../src/sync/role/runner.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { ManualHands } from '../../support/sync/roleHands.js';
import { roleSettings } from '../../support/sync/roleConformance.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A runner on hands whose commits end when a test says so. */
class Node {
  readonly reports: SyncReport[] = [];
  readonly recorded: object[] = [];
  readonly lines: string[] = [];
  readonly runner: RoleRunner;
  readonly hands = new ManualHands();
  readonly time: ManualTime;

  constructor(state: RoleState = initialRole, time = new ManualTime()) {
    this.time = time;
    const ports = {
      clock: this.time,
      timers: this.time,
      logger: {
        log: (level: string, message: string, fields: object = {}): void =>
          void this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
      },
      report: (report: SyncReport): void => void this.reports.push(report),
      record: (line: object): void => void this.recorded.push(line),
    };
    this.runner = new RoleRunner(this.hands, ports, () => roleSettings, state);
    this.runner.input({ kind: 'engineStarted' });
  }

  async input(...events: readonly RoleInput[]): Promise<void> {
    for (const event of events) this.runner.input(event);
    await settled();
  }

  async endCommit(entries: number | Error): Promise<void> {
    this.hands.endCommit?.(entries);
    await settled();
  }

  /** A peer that speaks does so each second. */
  async pass(duration: number, peerSpeaks = false): Promise<void> {
    for (let i = 0; i < duration; i++) {
      if (peerSpeaks) this.hands.heardAt = this.time.now();
      await this.time.advance(seconds(1));
      this.runner.tick();
      await settled();
    }
  }

  get committed(): readonly SyncReport[] {
    return this.reports.filter(({ kind }) => kind === 'committed');
  }

  get merged(): readonly SyncReport[] {
    return this.reports.filter(({ kind }) => kind === 'merged');
  }
}

const preCommit = (epoch: number): RoleInput => ({ kind: 'preCommit', epoch });
const becomeMaster = (epoch: number, preCommitted: boolean): RoleInput => ({
  ...{ kind: 'becomeMaster', epoch, preCommitted },
});
const becomeBackup = (epoch: number): RoleInput => ({
  ...{ kind: 'becomeBackup', epoch, peerHeard: false },
});
const becomeFault = (epoch: number): RoleInput => ({ kind: 'becomeFault', epoch });

describe('another MASTER that is heard while a commit is being cancelled', () => {
  test.each([
    ['BACKUP', becomeBackup(2)],
    ['FAULT', becomeFault(2)],
  ])('counts for the purge of a %s', async (_role, leave) => {
    const node = new Node();
    await node.input(becomeMaster(1, false));
    await node.input(leave, { kind: 'otherMasterHeard', epoch: 2 });
    await node.endCommit(0);
    await node.pass(59);
    expect(node.hands.times('purge')).toBe(0);
    await node.pass(2);
    expect(node.hands.times('purge')).toBe(1);
  });
});

describe('a commit in advance that failed', () => {
  test('prepares nothing: the role commits anew', async () => {
    const node = new Node();
    await node.input(preCommit(1));
    await node.endCommit(new Error('no socket'));
    expect(node.committed).toMatchObject([{ entries: 0, cancelled: true }]);
    await node.input(becomeMaster(1, true));
    expect(node.hands.times('commit')).toBe(2);
    await node.endCommit(7);
    expect(node.committed.slice(1)).toMatchObject([{ epoch: 1, entries: 7, cancelled: false }]);
  });

  test('while the role waited for it is made again, and told once', async () => {
    const node = new Node();
    await node.input(preCommit(1));
    await node.input(becomeMaster(1, true));
    expect(node.hands.times('commit')).toBe(1);
    await node.endCommit(new Error('no socket'));
    expect(node.hands.times('commit')).toBe(2);
    await node.endCommit(7);
    expect(node.committed).toMatchObject([{ epoch: 1, entries: 7, cancelled: false }]);
  });

  test('is not made again for a role that is over', async () => {
    const node = new Node();
    await node.input(preCommit(1));
    await node.input(becomeMaster(1, true), becomeFault(2));
    await node.endCommit(new Error('no socket'));
    expect(node.hands.times('commit')).toBe(1);
  });
});

test('a commit in advance that was done is told as the result of the role', async () => {
  const node = new Node();
  await node.input(preCommit(1));
  await node.endCommit(7);
  await node.input(becomeMaster(1, true));
  expect(node.hands.times('commit')).toBe(1);
  expect(node.committed).toMatchObject([{ entries: 7 }, { entries: 7 }]);
});

describe('the flows of two MASTERs', () => {
  async function split(): Promise<Node> {
    const node = new Node();
    node.hands.peer = { ...node.hands.peer, isCaughtUp: false };
    await node.input({ kind: 'mergeAfterSplit', epoch: 1 });
    expect(node.reports.map(({ kind }) => kind)).toEqual(['mergeReady']);
    return node;
  }

  test('the table of a peer that speaks is waited for', async () => {
    const node = await split();
    await node.pass(30, true);
    expect(node.merged).toEqual([]);
    node.hands.peer = { ...node.hands.peer, isCaughtUp: true };
    await node.pass(1, true);
    expect(node.reports.map(({ kind }) => kind)).toEqual(['mergeReady', 'merged']);
    expect(node.hands.times('mergePass')).toBe(2);
    expect(node.hands.answers).toMatchObject([{ created: 2, failed: 0 }]);
  });

  test('a peer that has died ends neither the merge nor the following late', async () => {
    const node = await split();
    await node.pass(9);
    expect(node.merged).toEqual([]);
    await node.pass(1);
    expect(node.merged).toMatchObject([{ created: 2, failed: 0 }]);
    expect(node.hands.following).toBe('merge');
    await node.pass(10);
    expect(node.hands.following).toBeUndefined();
    await node.pass(100);
    expect(node.reports.map(({ kind }) => kind)).toEqual(['mergeReady', 'merged']);
  });

  test('a table that never comes is not waited for longer than the peer waits', async () => {
    const node = await split();
    await node.pass(59, true);
    expect(node.merged).toEqual([]);
    await node.pass(1, true);
    expect(node.merged).toHaveLength(1);
  });

  test('an engine that ends meanwhile says that the merge has failed; after a merge it does not', async () => {
    const node = await split();
    node.runner.close();
    expect(node.reports.map(({ kind }) => kind)).toEqual(['mergeReady', 'mergeFailed']);
    const other = await split();
    other.hands.peer = { ...other.hands.peer, isCaughtUp: true };
    await other.pass(1, true);
    other.runner.close();
    expect(other.reports.map(({ kind }) => kind)).toEqual(['mergeReady', 'merged']);
  });
});

describe('an engine that is started afresh', () => {
  test('is waited for until a commit is done; what was committed in advance is taken back', async () => {
    const node = new Node();
    await node.input(preCommit(1));
    let isAtRest = false;
    const rest = node.runner.rest().then(() => (isAtRest = true));
    await settled();
    expect(isAtRest).toBe(false);
    await node.endCommit(7);
    await rest;
    expect([node.hands.stance, node.hands.times('undo')]).toEqual(['own', 1]);
  });

  test('goes on with the purge that waited, after what is left of its time', async () => {
    const before = new Node();
    await before.input(becomeBackup(1), { kind: 'otherMasterHeard', epoch: 1 });
    await before.pass(50);
    const state = JSON.parse(JSON.stringify(before.runner.close())) as RoleState;
    const after = new Node(state, before.time);
    await after.pass(9);
    expect(after.hands.times('purge')).toBe(0);
    await after.pass(1);
    expect(after.hands.times('purge')).toBe(1);
  });

  test('hears no report of a work of the one before', async () => {
    const node = new Node();
    await node.input(becomeMaster(1, false));
    node.runner.close();
    await node.endCommit(7);
    expect(node.committed).toEqual([]);
  });
});

test('a takeover reads as a story: one line for each command and report, with its epoch', async () => {
  const node = new Node();
  await node.input(becomeMaster(3, false));
  await node.endCommit(7);
  await node.input({ kind: 'takeoverComplete', epoch: 3 });
  const story = node.lines.filter((line) => line.startsWith('debug'));
  expect(story.map((line) => /sync role: (\w+)/.exec(line)?.[1])).toEqual([
    'engineStarted',
    'peer',
    'becomeMaster',
    'stopped',
    'committed',
    'takeoverComplete',
    'stopped',
    'resynced',
  ]);
  expect(story.slice(2).every((line) => line.includes('"epoch":3'))).toBe(true);
});
